import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';
import {
  crossAttention,
  decoderSelfAttention,
  feedForward,
  groupingOf,
  type KeyValues,
  layerNorm,
} from './attention.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import { WhisperDecoder } from './decoder.ts';

const DECODER = 'model.decoder';

/** What meets in the alignment heads, in the order of `checkpoint.alignmentHeads`. */
export interface AlignmentPass {
  /** `[batch, heads, positions, headSize]`. */
  readonly queries: Value;
  /** `[batch, heads, 1500, headSize]`. */
  readonly keys: Value;
}

interface AlignmentInputs {
  /** int64 `[batch, positions]`. */
  readonly ids: Value;
  /** Per window; a window's rows are next to each other. */
  readonly audio: readonly KeyValues[];
  /** int64 `[batch]`; undefined where every window has one row. */
  readonly windowOfRow?: Value | undefined;
}

/**
 * One pass of the decoder over known tokens, `ids` int64 `[batch, positions]`, as far as the last
 * layer that has an alignment head. What is behind a row's own tokens does not change them.
 */
export function alignmentPass(
  graph: OnnxGraph,
  weights: Weights,
  checkpoint: WhisperCheckpoint,
  { ids, audio, windowOfRow }: AlignmentInputs,
): AlignmentPass {
  const context = { graph, weights, heads: checkpoint.decoderHeads };
  const headsOf = (layer: number): number[] =>
    checkpoint.alignmentHeads.filter(([other]) => other === layer).map(([, head]) => head);
  const lastLayer = Math.max(...checkpoint.alignmentHeads.map(([layer]) => layer));
  const past = new WhisperDecoder(weights, checkpoint).emptyPast(graph, axisLength(graph, ids, 0));
  const queries: Value[] = [];
  const keys: Value[] = [];
  let x = embeddings(graph, weights, ids);
  for (let layer = 0; layer <= lastLayer; layer++) {
    graph.in(`layers.${layer}`, () => {
      const name = `${DECODER}.layers.${layer}`;
      const self = decoderSelfAttention(context, x, name, { past: past[layer]! }).output;
      const heads = headsOf(layer);
      if (heads.length > 0) {
        const normed = layerNorm(context, self, `${name}.encoder_attn_layer_norm`);
        const query = weights.linear(graph, normed, `${name}.encoder_attn.q_proj`);
        const chosen = graph.integers(heads);
        queries.push(graph.op('Gather', [splitHeads(graph, query, checkpoint), chosen], axis(1)));
        const heard = graph.op('Gather', [audio[layer]!.keys, chosen], axis(1));
        keys.push(windowOfRow === undefined ? heard : graph.op('Gather', [heard, windowOfRow]));
      }
      if (layer === lastLayer) return;
      const grouping = groupingOf(graph, self, audio[layer]!);
      const heard = crossAttention(context, self, name, { audio: audio[layer]!, grouping });
      x = feedForward(context, heard, name);
    });
  }
  return {
    queries: graph.op('Concat', queries, axis(1)),
    keys: graph.op('Concat', keys, axis(1)),
  };
}

const axis = (index: number) => ({ axis: { int: index } });

function embeddings(graph: OnnxGraph, weights: Weights, ids: Value): Value {
  const positions = graph.op('Range', [
    graph.integers([0], []),
    graph.op('Squeeze', [axisLength(graph, ids, 1), graph.integers([0])]),
    graph.integers([1], []),
  ]);
  const table = weights.tensor(graph, `${DECODER}.embed_positions.weight`);
  return graph.op('Add', [
    weights.embedding(graph, ids, `${DECODER}.embed_tokens`),
    graph.op('Gather', [table, positions]),
  ]);
}

/** `[batch, positions, dModel]` → `[batch, heads, positions, headSize]`. */
function splitHeads(graph: OnnxGraph, x: Value, { decoderHeads }: WhisperCheckpoint): Value {
  const split = graph.op('Reshape', [x, graph.integers([0, 0, decoderHeads, -1])]);
  return graph.op('Transpose', [split], { perm: { ints: [0, 2, 1, 3] } });
}

/** int64 `[1]`. */
function axisLength(graph: OnnxGraph, value: Value, index: number): Value {
  return graph.op('Gather', [graph.op('Shape', [value]), graph.integers([index])]);
}
