import { elementTypeCode, type OnnxGraph, type Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';
import { encoderSelfAttention, feedForward, layerNorm } from './attention.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';

const ENCODER = 'model.encoder';

/** Log-mel float32 `[batch, melBins, 3000]` → `[batch, 1500, dModel]` in the compute type. */
export function encoder(
  graph: OnnxGraph,
  weights: Weights,
  checkpoint: WhisperCheckpoint,
  mel: Value,
): Value {
  const context = { graph, weights, heads: checkpoint.encoderHeads };
  return graph.in('encoder', () => {
    const positions = weights.tensor(graph, `${ENCODER}.embed_positions.weight`);
    let x = graph.op('Add', [convolutions(graph, weights, mel), positions]);
    for (let layer = 0; layer < checkpoint.encoderLayers; layer++) {
      const name = `${ENCODER}.layers.${layer}`;
      x = graph.in(`layers.${layer}`, () =>
        feedForward(context, encoderSelfAttention(context, x, name), name),
      );
    }
    return layerNorm(context, x, `${ENCODER}.layer_norm`);
  });
}

/** Two convolutions with GELU; the second halves the frame rate. → `[batch, 1500, dModel]`. */
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
