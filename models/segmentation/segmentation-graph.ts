import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';

/** SincNet: half of a band-pass filter has 125 taps; the other half mirrors it. */
const SINC = { halfTaps: 125, stride: 10, minLowHz: 50, minBandHz: 50, nyquistHz: 8000 };
const POOL = 3;
const NORM_EPSILON = 1e-5;
const LEAK = 0.01;
const LSTM = { layers: 4, hidden: 128 };
const LINEAR_LAYERS = 2;
export const LOCAL_SPEAKERS = 3;
/** The network's classes: every set of up to two speakers who speak at once. */
const SPEAKER_SETS = [[], [0], [1], [2], [0, 1], [0, 2], [1, 2]] as const;

interface Context {
  readonly graph: OnnxGraph;
  readonly weights: Weights;
}

/**
 * Who speaks: `waveform` `[windows, samples]` → probabilities `[windows, frames, 3]`, a speaker's being
 * the sum over the sets that hold the speaker.
 */
export function segmentationGraph(context: Context, waveform: Value): Value {
  const { graph } = context;
  const holds = SPEAKER_SETS.flatMap((set) =>
    Array.from({ length: LOCAL_SPEAKERS }, (_, speaker) => Number(set.some((s) => s === speaker))),
  );
  const sets = graph.op('Exp', [speakerSetScores(context, waveform)]);
  return graph.op('MatMul', [sets, graph.floats(holds, [SPEAKER_SETS.length, LOCAL_SPEAKERS])]);
}

/**
 * pyannote's segmentation-3.0 (PyanNet): `waveform` `[windows, samples]` → log-probabilities
 * `[windows, frames, 7]` of the sets of up to two of three speakers, in the order of
 * `SPEAKER_SETS`. Reproduces pyannote.audio (golden test).
 */
export function speakerSetScores(context: Context, waveform: Value): Value {
  const { graph, weights } = context;
  const features = graph.in('sincnet', () => sincNet(context, waveform));
  // [windows, features, frames] → [frames, windows, features]
  let value = graph.op('Transpose', [features], { perm: { ints: [2, 0, 1] } });
  for (let layer = 0; layer < LSTM.layers; layer++) {
    value = graph.in(`lstm.${layer}`, () => bidirectionalLstm(context, value, layer));
  }
  for (let layer = 0; layer < LINEAR_LAYERS; layer++) {
    value = leakyRelu(graph, weights.linear(graph, value, `linear.${layer}`));
  }
  const logits = weights.linear(graph, value, 'classifier');
  const scores = graph.op('LogSoftmax', [logits], { axis: { int: -1 } });
  return graph.op('Transpose', [scores], { perm: { ints: [1, 0, 2] } });
}

function sincNet(context: Context, waveform: Value): Value {
  const { graph, weights } = context;
  const channels = graph.op('Unsqueeze', [waveform, graph.integers([1])]);
  const level = instanceNorm(context, channels, 'sincnet.wav_norm1d');
  const bands = graph.op('Conv', [level, sincFilters(context)], {
    strides: { ints: [SINC.stride] },
  });
  let value = graph.op('Abs', [bands]);
  for (let layer = 0; layer < 3; layer++) {
    if (layer > 0) {
      const name = `sincnet.conv1d.${layer}`;
      const kernel = weights.tensor(graph, `${name}.weight`);
      value = graph.op('Conv', [value, kernel, weights.tensor(graph, `${name}.bias`)]);
    }
    const pooled = graph.op('MaxPool', [value], {
      kernel_shape: { ints: [POOL] },
      strides: { ints: [POOL] },
    });
    value = leakyRelu(graph, instanceNorm(context, pooled, `sincnet.norm1d.${layer}`));
  }
  return value;
}

const leakyRelu = (graph: OnnxGraph, value: Value): Value =>
  graph.op('LeakyRelu', [value], { alpha: { float: LEAK } });

const instanceNorm = ({ graph, weights }: Context, value: Value, name: string): Value =>
  graph.op(
    'InstanceNormalization',
    [value, weights.tensor(graph, `${name}.weight`), weights.tensor(graph, `${name}.bias`)],
    { epsilon: { float: NORM_EPSILON } },
  );

/**
 * `[80, 1, 251]` from 40 learned cut-off frequencies: even band-pass filters, then odd ones, as
 * asteroid's `ParamSincFB`. Constant nodes, folded when the session loads.
 */
function sincFilters({ graph, weights }: Context): Value {
  const tensor = (name: string): Value =>
    weights.tensor(graph, `sincnet.conv1d.0.filterbank.${name}`);
  const [lowHz, bandHz, times] = [tensor('low_hz_'), tensor('band_hz_'), tensor('n_')];
  const plus = (hz: Value, least: number): Value =>
    graph.op('Add', [graph.op('Abs', [hz]), graph.float(least)]);
  const low = plus(lowHz, SINC.minLowHz);
  const wide = graph.op('Add', [low, plus(bandHz, SINC.minBandHz)]);
  const high = graph.op('Min', [wide, graph.float(SINC.nyquistHz)]);
  const twiceBand = graph.op('Mul', [graph.op('Sub', [high, low]), graph.float(2)]);
  const halfTimes = graph.op('Div', [times, graph.float(2)]);
  const [lowPhase, highPhase] = [low, high].map((hz) => graph.op('MatMul', [hz, times]));
  const halfFilter = (minuend: Value, subtrahend: Value): Value => {
    const band = graph.op('Div', [graph.op('Sub', [minuend, subtrahend]), halfTimes]);
    return graph.op('Mul', [band, tensor('window_')]);
  };
  const mirrored = (half: Value): Value =>
    graph.op('Slice', [
      half,
      ...[[-1], [-SINC.halfTaps - 1], [1], [-1]].map((v) => graph.integers(v)),
    ]);
  const wave = (type: 'Sin' | 'Cos', phase: Value): Value => graph.op(type, [phase]);
  const even = halfFilter(wave('Sin', highPhase!), wave('Sin', lowPhase!));
  const odd = halfFilter(wave('Cos', lowPhase!), wave('Cos', highPhase!));
  const nothing = graph.op('Mul', [twiceBand, graph.float(0)]);
  const oddMirrored = graph.op('Neg', [mirrored(odd)]);
  const rows = [
    [even, twiceBand, mirrored(even)],
    [odd, nothing, oddMirrored],
  ].map((parts) => graph.op('Div', [graph.op('Concat', parts, { axis: { int: 1 } }), twiceBand]));
  const filters = graph.op('Concat', rows, { axis: { int: 0 } });
  return graph.op('Unsqueeze', [filters, graph.integers([1])]);
}

/** `[frames, windows, inputs]` → `[frames, windows, 256]`. */
function bidirectionalLstm({ graph, weights }: Context, input: Value, layer: number): Value {
  const directions = [`l${layer}`, `l${layer}_reverse`];
  const stacked = (parts: readonly Value[]): Value =>
    graph.op(
      'Concat',
      parts.map((part) => graph.op('Unsqueeze', [part, graph.integers([0])])),
      { axis: { int: 0 } },
    );
  const tensor = (name: string): Value => onnxGates(graph, weights.tensor(graph, `lstm.${name}`));
  const matrix = (name: string): Value =>
    stacked(directions.map((direction) => tensor(`${name}_${direction}`)));
  const biases = directions.map((direction) =>
    graph.op('Concat', [tensor(`bias_ih_${direction}`), tensor(`bias_hh_${direction}`)], {
      axis: { int: 0 },
    }),
  );
  const inputs = [input, matrix('weight_ih'), matrix('weight_hh'), stacked(biases)];
  const states = graph.op('LSTM', inputs, {
    hidden_size: { int: LSTM.hidden },
    direction: { text: 'bidirectional' },
  });
  const together = graph.op('Transpose', [states], { perm: { ints: [0, 2, 1, 3] } });
  return graph.op('Reshape', [together, graph.integers([0, 0, 2 * LSTM.hidden])]);
}

/** PyTorch keeps the gates in the order input, forget, cell, output; ONNX wants i, o, f, c. */
function onnxGates(graph: OnnxGraph, value: Value): Value {
  const sizes = graph.integers([LSTM.hidden, LSTM.hidden, LSTM.hidden, LSTM.hidden]);
  const [input, forget, cell, output] = graph.ops('Split', [value, sizes], 4, { axis: { int: 0 } });
  return graph.op('Concat', [input!, output!, forget!, cell!], { axis: { int: 0 } });
}
