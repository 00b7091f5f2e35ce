import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import { matrixOfConvolution } from './convolution-matrix.ts';
import type { SileroWeights } from './silero-weights.ts';

const FRAME_SAMPLES = 576;
/** Reflected at the end, as the network was trained. */
const PADDED_SAMPLES = 64;
/** Two hops are one frame of the spectrogram, four frames are one window. */
const HOP_SAMPLES = 128;
const HOPS = (FRAME_SAMPLES + PADDED_SAMPLES) / HOP_SAMPLES;
const FRAMES = HOPS - 1;
const STATE_SHAPE = [1, 1, 128] as const;
/** Of the four convolutions, each with three taps and one position of zeros on both sides. */
const STRIDES = [1, 2, 2, 1] as const;

/**
 * Silero VAD with the inputs and outputs of its sequence form, see `SileroVad`. What the file computes
 * as convolutions over four positions and fewer are products of matrices over all windows here: the
 * runtime's convolutions take five times as long for the same sums. Largest difference of a
 * probability 1e-5.
 */
export function sileroGraph(graph: OnnxGraph, weights: SileroWeights): void {
  const windows = graph.input('input', 'float32', ['windows', FRAME_SAMPLES]);
  const h = graph.input('h', 'float32', STATE_SHAPE);
  const c = graph.input('c', 'float32', STATE_SHAPE);
  const features = encode(graph, weights, magnitudes(graph, weights, windows));
  const { input, recurrence, bias } = weights.lstm;
  const [states, hn, cn] = graph.ops(
    'LSTM',
    [
      graph.op('Unsqueeze', [features, graph.integers([1])]),
      graph.floats(input.data, input.shape),
      graph.floats(recurrence.data, recurrence.shape),
      graph.floats(bias.data, bias.shape),
      '',
      h,
      c,
    ],
    3,
    { hidden_size: { int: STATE_SHAPE[2] } },
  );
  graph.output('speech_probs', probabilities(graph, weights, states!), 'float32', ['windows']);
  graph.output('hn', hn!, 'float32', STATE_SHAPE);
  graph.output('cn', cn!, 'float32', STATE_SHAPE);
}

/** `[windows, 576]` → `[windows, 4 · 129]`, frame by frame. */
function magnitudes(graph: OnnxGraph, { basis }: SileroWeights, windows: Value): Value {
  const padded = graph.op('Pad', [windows, graph.integers([0, 0, 0, PADDED_SAMPLES])], {
    mode: { text: 'reflect' },
  });
  const hops = graph.op('Reshape', [padded, graph.integers([-1, HOPS, HOP_SAMPLES])]);
  const from = (hop: number): Value =>
    graph.op('Slice', [
      hops,
      graph.integers([hop]),
      graph.integers([hop + FRAMES]),
      graph.integers([1]),
    ]);
  const frames = graph.op('Concat', [from(0), from(1)], { axis: { int: 2 } });
  const bins = basis.outputs / 2;
  const { data, rows, columns } = matrixOfConvolution(basis, { positions: basis.taps });
  const spectrum = graph.op('MatMul', [
    graph.op('Reshape', [frames, graph.integers([-1, rows])]),
    graph.floats(data, [rows, columns]),
  ]);
  const squares = graph
    .ops('Split', [spectrum, graph.integers([bins, bins])], 2, { axis: { int: 1 } })
    .map((part) => graph.op('Mul', [part, part]));
  const magnitude = graph.op('Sqrt', [graph.op('Add', squares)]);
  return graph.op('Reshape', [magnitude, graph.integers([-1, FRAMES * bins])]);
}

/** `[windows, 4 · 129]` → `[windows, 128]`. */
function encode(graph: OnnxGraph, { encoder }: SileroWeights, magnitude: Value): Value {
  let positions: number = FRAMES;
  let value = magnitude;
  for (const [layer, { kernel, bias }] of encoder.entries()) {
    const geometry = { positions, stride: STRIDES[layer]!, padding: 1 };
    const { data, rows, columns } = matrixOfConvolution(kernel, geometry);
    positions = columns / kernel.outputs;
    const biases = Array.from({ length: columns }, (_, at) => bias[at % kernel.outputs]!);
    const matrix = graph.floats(data, [rows, columns]);
    value = graph.op('Gemm', [value, matrix, graph.floats(biases, [columns])]);
    value = graph.op('Relu', [value]);
  }
  return value;
}

/** LSTM states `[windows, 1, 1, 128]` → `[windows]`. */
function probabilities(graph: OnnxGraph, { output }: SileroWeights, states: Value): Value {
  const size = STATE_SHAPE[2];
  const rows = graph.op('Reshape', [states, graph.integers([-1, size])]);
  const logits = graph.op('Gemm', [
    graph.op('Relu', [rows]),
    graph.floats(output.kernel.data, [size, 1]),
    graph.floats(output.bias, [1]),
  ]);
  return graph.op('Reshape', [graph.op('Sigmoid', [logits]), graph.integers([-1])]);
}
