import { elementTypeCode, type OnnxGraph, type Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';
import { encoderSelfAttention, feedForward, layerNorm } from './attention.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';

const ENCODER = 'model.encoder';

/**
 * Log-mel float32 `[batch, melBins, frames]` → `[batch, frames / 2, dModel]` in the compute type. Up to
 * 3000 frames; fewer take the first positions.
 */
export function encoder(
  graph: OnnxGraph,
  weights: Weights,
  checkpoint: WhisperCheckpoint,
  mel: Value,
): Value {
  const context = { graph, weights, heads: checkpoint.encoderHeads };
  return graph.in('encoder', () => {
    const convolved = convolutions(graph, weights, mel);
    let x = graph.op('Add', [convolved, positions(graph, weights, convolved)]);
    for (let layer = 0; layer < checkpoint.encoderLayers; layer++) {
      const name = `${ENCODER}.layers.${layer}`;
      x = graph.in(`layers.${layer}`, () =>
        feedForward(context, encoderSelfAttention(context, x, name), name),
      );
    }
    return layerNorm(context, x, `${ENCODER}.layer_norm`);
  });
}

/** As many as `x` `[batch, positions, dModel]` has. */
function positions(graph: OnnxGraph, weights: Weights, x: Value): Value {
  const table = weights.tensor(graph, `${ENCODER}.embed_positions.weight`);
  const count = graph.op('Gather', [graph.op('Shape', [x]), graph.integers([1])]);
  return graph.op('Slice', [table, graph.integers([0]), count, graph.integers([0])]);
}

/** Two convolutions with GELU; the second halves the frame rate. → `[batch, frames / 2, dModel]`. */
function convolutions(graph: OnnxGraph, weights: Weights, mel: Value): Value {
  let x = weights.computeType === 'float32' ? mel : toComputeType(graph, weights, mel);
  for (const [name, stride] of [
    ['conv1', 1],
    ['conv2', 2],
  ] as const) {
    const convolved = graph.op(
      'Conv',
      [
        x,
        weights.tensor(graph, `${ENCODER}.${name}.weight`),
        weights.tensor(graph, `${ENCODER}.${name}.bias`),
      ],
      { kernel_shape: { ints: [3] }, pads: { ints: [1, 1] }, strides: { ints: [stride] } },
    );
    x = graph.op('Gelu', [convolved]);
  }
  return graph.op('Transpose', [x], { perm: { ints: [0, 2, 1] } });
}

function toComputeType(graph: OnnxGraph, weights: Weights, x: Value): Value {
  return graph.op('Cast', [x], { to: { int: elementTypeCode(weights.computeType) } });
}
