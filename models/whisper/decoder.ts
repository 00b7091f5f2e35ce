import { elementTypeCode, type OnnxGraph, type Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';
import {
  audioKeyValues,
  crossAttention,
  decoderSelfAttention,
  feedForward,
  type Grouping,
  type HeardAudio,
  type KeyValues,
  layerNorm,
  type Padding,
} from './attention.ts';
import { byteKeyValues } from './byte-attention.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';

const DECODER = 'model.decoder';

export interface DecoderInputs {
  /** int64 `[rows, positions]`, what they stand for and where in the decoder's table. */
  readonly ids: Value;
  readonly positions: Value;
  readonly past: readonly KeyValues[];
  /** Per window. */
  readonly audio: readonly HeardAudio[];
  readonly padding?: Padding;
  /** Where there may be several rows to a window; made outside of Loops, see `groupingOf`. */
  readonly grouping?: Grouping;
}

export interface DecoderPass {
  /** After the last layer norm, `[rows, positions, dModel]`. */
  readonly hidden: Value;
  readonly present: readonly KeyValues[];
}

/** Builds the decoder's passes over one graph and its inner graphs. */
export class WhisperDecoder {
  readonly #weights: Weights;
  readonly #checkpoint: WhisperCheckpoint;

  constructor(weights: Weights, checkpoint: WhisperCheckpoint) {
    this.#weights = weights;
    this.#checkpoint = checkpoint;
  }

  get computeType(): 'float32' | 'float16' {
    return this.#weights.computeType;
  }

  /** Cross-attention keys and values of every layer, made once per window. */
  audioKeyValues(graph: OnnxGraph, audio: Value): KeyValues[] {
    return graph.in('decoder', () =>
      this.#layers().map((name, layer) =>
        graph.in(`layers.${layer}`, () => audioKeyValues(this.#context(graph), audio, name)),
      ),
    );
  }

  /** The same as the steps read them: in bytes where the weights are to be met so. */
  heardInSteps(graph: OnnxGraph, audio: readonly KeyValues[]): readonly HeardAudio[] {
    if (!this.#weights.audioInBytes) return audio;
    const { decoderHeads, dModel } = this.#checkpoint;
    return graph.in('decoder', () =>
      audio.map((layer, index) =>
        graph.in(`layers.${index}`, () => byteKeyValues(graph, layer, dModel / decoderHeads)),
      ),
    );
  }

  /** Keys and values before the first token: `[batch, heads, 0, headSize]`. */
  emptyPast(graph: OnnxGraph, batch: Value): KeyValues[] {
    const { decoderHeads, dModel } = this.#checkpoint;
    const shape = graph.op(
      'Concat',
      [batch, graph.integers([decoderHeads, 0, dModel / decoderHeads])],
      { axis: { int: 0 } },
    );
    const zeros = graph.op('ConstantOfShape', [shape]);
    const empty =
      this.#weights.computeType === 'float32'
        ? zeros
        : graph.op('Cast', [zeros], { to: { int: elementTypeCode(this.#weights.computeType) } });
    return this.#layers().map(() => ({ keys: empty, values: empty }));
  }

  /** Runs new tokens; the rows of a window are next to each other. */
  pass(graph: OnnxGraph, inputs: DecoderInputs): DecoderPass {
    const { ids, positions, past, audio, padding, grouping } = inputs;
    const context = this.#context(graph);
    return graph.in('decoder', () => {
      let x = graph.op('Add', [
        this.#weights.embedding(graph, ids, `${DECODER}.embed_tokens`),
        graph.op('Gather', [
          this.#weights.tensor(graph, `${DECODER}.embed_positions.weight`),
          positions,
        ]),
      ]);
      const present = this.#layers().map((name, layer) =>
        graph.in(`layers.${layer}`, () => {
          const self = decoderSelfAttention(context, x, name, { past: past[layer]!, padding });
          const heard = crossAttention(context, self.output, name, {
            audio: audio[layer]!,
            grouping,
          });
          x = feedForward(context, heard, name);
          return self.present;
        }),
      );
      return { hidden: layerNorm(context, x, `${DECODER}.layer_norm`), present };
    });
  }

  /** Scores float32 `[batch, end − start]` of the vocabulary's ids `[start, end)`, from `[batch, dModel]`. */
  logits(graph: OnnxGraph, hidden: Value, [start, end]: readonly [number, number]): Value {
    const matrix = this.#checkpoint.isOutputTied ? `${DECODER}.embed_tokens` : 'proj_out';
    const scores = graph.in('logits', () =>
      this.#weights.linear(graph, hidden, matrix, [start, end]),
    );
    if (this.#weights.computeType === 'float32') return scores;
    return graph.op('Cast', [scores], { to: { int: elementTypeCode('float32') } });
  }

  #layers(): string[] {
    return Array.from(
      { length: this.#checkpoint.decoderLayers },
      (_, layer) => `${DECODER}.layers.${layer}`,
    );
  }

  #context(graph: OnnxGraph) {
    return { graph, weights: this.#weights, heads: this.#checkpoint.decoderHeads };
  }
}
