import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';
import { cast } from './cast.ts';
import type { Wav2Vec2Checkpoint } from './checkpoint.ts';

export interface NetworkContext {
  readonly graph: OnnxGraph;
  readonly weights: Weights;
  readonly checkpoint: Wav2Vec2Checkpoint;
}

/** GroupNorm's and LayerNorm's default; the config's epsilon is for the layers behind. */
const FEATURE_NORM_EPSILON = 1e-5;

/** Samples or frames of each row that are not padding, int64 `[batch]`. */
export type Lengths = Value;

/**
 * Waveform `[batch, samples]` → features `[batch, frames, channels]`.
 * @param normLengths where given, group norm leaves out what is padding behind so many samples, so
 * that a row comes out the same in any batch; transformers takes the whole row.
 */
export function featureExtractor(
  context: NetworkContext,
  waveform: Value,
  normLengths: Lengths | undefined,
): Value {
  const { graph, weights, checkpoint } = context;
  return graph.in('feature_extractor', () => {
    let x = graph.op('Unsqueeze', [waveform, graph.integers([1])]);
    for (const [layer, { kernel, stride }] of checkpoint.convolutions.entries()) {
      const name = `${checkpoint.prefix}feature_extractor.conv_layers.${layer}`;
      const bias = `${name}.conv.bias`;
      x = graph.op(
        'Conv',
        [
          x,
          weights.tensor(graph, `${name}.conv.weight`),
          ...(weights.has(bias) ? [weights.tensor(graph, bias)] : []),
        ],
        { kernel_shape: { ints: [kernel] }, strides: { ints: [stride] } },
      );
      if (checkpoint.featureNorm === 'layer') x = channelNorm(context, x, name);
      else if (layer === 0) {
        const frames = normLengths && framesOf(graph, normLengths, [{ kernel, stride }]);
        x = frames === undefined ? timeNorm(context, x, name) : validNorm(context, x, name, frames);
      }
      x = graph.op('Gelu', [x]);
    }
    return graph.op('Transpose', [x], { perm: { ints: [0, 2, 1] } });
  });
}

/** Frames that hear nothing but the first `lengths` samples. */
export function framesOf(
  graph: OnnxGraph,
  lengths: Lengths,
  convolutions: Wav2Vec2Checkpoint['convolutions'],
): Lengths {
  return convolutions.reduce((length, { kernel, stride }) => {
    const beyond = graph.op('Sub', [length, graph.integers([kernel])]);
    const steps = graph.op('Div', [beyond, graph.integers([stride])]);
    return graph.op('Add', [steps, graph.integers([1])]);
  }, lengths);
}

/** bool `[batch, frames]`: true where a row's frame is not padding. */
export function frameMask(graph: OnnxGraph, lengths: Lengths, frames: Value): Value {
  const positions = graph.op('Range', [
    graph.op('Squeeze', [graph.integers([0])]),
    graph.op('Squeeze', [frames]),
    graph.op('Squeeze', [graph.integers([1])]),
  ]);
  const row = graph.op('Unsqueeze', [positions, graph.integers([0])]);
  return graph.op('Less', [row, graph.op('Unsqueeze', [lengths, graph.integers([1])])]);
}

/** Layer norm over the channels of `[batch, channels, frames]`. */
function channelNorm({ graph, weights }: NetworkContext, x: Value, name: string): Value {
  const swap = { perm: { ints: [0, 2, 1] } };
  const normed = graph.op(
    'LayerNormalization',
    [
      graph.op('Transpose', [x], swap),
      weights.tensor(graph, `${name}.layer_norm.weight`),
      weights.tensor(graph, `${name}.layer_norm.bias`),
    ],
    { axis: { int: -1 }, epsilon: { float: FEATURE_NORM_EPSILON } },
  );
  return graph.op('Transpose', [normed], swap);
}

/** Group norm with a group for each channel. */
function timeNorm({ graph, weights }: NetworkContext, x: Value, name: string): Value {
  return graph.op(
    'InstanceNormalization',
    [
      x,
      weights.tensor(graph, `${name}.layer_norm.weight`),
      weights.tensor(graph, `${name}.layer_norm.bias`),
    ],
    { epsilon: { float: FEATURE_NORM_EPSILON } },
  );
}

/** As `timeNorm`, over the first `frames` frames of each row, in float32: sums would overflow. */
function validNorm(context: NetworkContext, x: Value, name: string, frames: Lengths): Value {
  const { graph, weights } = context;
  const size = graph.op('Gather', [graph.op('Shape', [x]), graph.integers([2])]);
  const mask = cast(graph, frameMask(graph, frames, size), 'float32');
  const isValid = graph.op('Unsqueeze', [mask, graph.integers([1])]);
  const count = graph.op('ReduceSum', [isValid, graph.integers([2])], { keepdims: { int: 1 } });
  const wide = cast(graph, x, 'float32');
  const mean = (value: Value): Value => {
    const kept = graph.op('Mul', [value, isValid]);
    const sum = graph.op('ReduceSum', [kept, graph.integers([2])], { keepdims: { int: 1 } });
    return graph.op('Div', [sum, count]);
  };
  const centred = graph.op('Sub', [wide, mean(wide)]);
  const variance = mean(graph.op('Mul', [centred, centred]));
  const deviation = graph.op('Sqrt', [
    graph.op('Add', [variance, graph.float(FEATURE_NORM_EPSILON)]),
  ]);
  const normed = cast(graph, graph.op('Div', [centred, deviation]), weights.computeType);
  const perChannel = (part: string): Value =>
    graph.op('Unsqueeze', [
      weights.tensor(graph, `${name}.layer_norm.${part}`),
      graph.integers([1]),
    ]);
  const scaled = graph.op('Mul', [normed, perChannel('weight')]);
  return graph.op('Add', [scaled, perChannel('bias')]);
}
