import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';

export interface PowerMelOptions {
  /** Windowed DFT, `[2 · bins, 1, windowSamples]`: cosine rows, then sine rows. */
  readonly kernels: Value;
  readonly bins: number;
  /** `[mels, bins]`. */
  readonly filters: Value;
  readonly hopSamples: number;
  /** Frames to keep from the start. */
  readonly frames: number;
}

/** Mel filters over the power spectrum: `waveform` `[batch, samples]` → `[batch, frames, mels]`. */
export function powerMels(graph: OnnxGraph, waveform: Value, options: PowerMelOptions): Value {
  const { kernels, bins, filters, hopSamples, frames } = options;
  const channels = graph.op('Unsqueeze', [waveform, graph.integers([1])]);
  const spectrum = graph.op('Conv', [channels, kernels], { strides: { ints: [hopSamples] } });
  const slice = (value: Value, [start, end]: readonly [number, number], axis: number): Value =>
    graph.op('Slice', [
      value,
      graph.integers([start]),
      graph.integers([end]),
      graph.integers([axis]),
    ]);
  const squared = graph.op('Mul', [spectrum, spectrum]);
  const power = graph.op('Add', [
    slice(squared, [0, bins], 1),
    slice(squared, [bins, 2 * bins], 1),
  ]);
  const mel = graph.op('MatMul', [filters, slice(power, [0, frames], 2)]);
  return graph.op('Transpose', [mel], { perm: { ints: [0, 2, 1] } });
}
