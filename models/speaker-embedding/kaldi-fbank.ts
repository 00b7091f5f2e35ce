import { SAMPLE_RATE_HZ } from '../../audio/time.ts';
import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import { powerMels } from './power-mels.ts';

const WINDOW_SAMPLES = 400;
const HOP_SAMPLES = 160;
const FFT_SIZE = 512;
const BINS = FFT_SIZE / 2 + 1;
const MEL_BINS = 80;
const LOWEST_HZ = 20;
const PREEMPHASIS = 0.97;
const POVEY_EXPONENT = 0.85;
/** `std::numeric_limits<float>::epsilon()`. */
const FLOAT_EPSILON = 2 ** -23;

export const fbankFrames = (samples: number): number =>
  Math.floor((samples - WINDOW_SAMPLES) / HOP_SAMPLES) + 1;

/**
 * Kaldi's log mel filter bank as 3D-Speaker's models expect it (80 mels, 25/10 ms, Povey's window, no
 * dither, DC removed, pre-emphasis 0.97, edges snipped), minus its mean over time:
 * `waveform` float32 `[batch, samples]` in [-1, 1] → `[batch, frames, 80]`. Reproduces
 * `torchaudio.compliance.kaldi.fbank` (golden test).
 */
export function kaldiFbank(graph: OnnxGraph, waveform: Value, samples: number): Value {
  return graph.in('kaldi_fbank', () => {
    const frames = fbankFrames(samples);
    const logMel = logMels(graph, waveform, frames);
    const total = graph.op('ReduceSum', [logMel, graph.integers([1])], { keepdims: { int: 1 } });
    return graph.op('Sub', [logMel, graph.op('Div', [total, graph.float(frames)])]);
  });
}

/** Before the mean is taken away. */
function logMels(graph: OnnxGraph, waveform: Value, frames: number): Value {
  const mel = powerMels(graph, waveform, {
    kernels: graph.floats(frameKernels(), [2 * BINS, 1, WINDOW_SAMPLES]),
    bins: BINS,
    filters: graph.floats(melFilters(), [MEL_BINS, BINS]),
    hopSamples: HOP_SAMPLES,
    frames,
  });
  return graph.op('Log', [graph.op('Max', [mel, graph.float(FLOAT_EPSILON)])]);
}

/**
 * DC removal, pre-emphasis, window and DFT are linear, so one kernel does all four:
 * `[2 · 257, 1, 400]`, the row of a bin being its DFT row times (window · pre-emphasis · DC removal).
 */
function frameKernels(): Float32Array {
  const kernels = new Float32Array(2 * BINS * WINDOW_SAMPLES);
  for (let row = 0; row < 2 * BINS; row++) {
    const wave = row < BINS ? Math.cos : Math.sin;
    const bin = row % BINS;
    const windowed = Float64Array.from({ length: WINDOW_SAMPLES }, (_, sample) => {
      const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * sample) / (WINDOW_SAMPLES - 1));
      return hann ** POVEY_EXPONENT * wave((2 * Math.PI * ((bin * sample) % FFT_SIZE)) / FFT_SIZE);
    });
    // y[i] = x[i] − 0.97 x[i − 1], with x[−1] = x[0]: seen from x, its own and the next weight.
    const emphasised = windowed.map((weight, i) => weight - PREEMPHASIS * (windowed[i + 1] ?? 0));
    emphasised[0]! -= PREEMPHASIS * windowed[0]!;
    const mean = emphasised.reduce((a, b) => a + b, 0) / WINDOW_SAMPLES;
    kernels.set(
      emphasised.map((weight) => weight - mean),
      row * WINDOW_SAMPLES,
    );
  }
  return kernels;
}

const hzToMel = (hz: number): number => 1127 * Math.log(1 + hz / 700);

/** Triangles in the mel domain, without normalisation, `[80, 257]`; the Nyquist bin has no weight. */
function melFilters(): Float32Array {
  const lowest = hzToMel(LOWEST_HZ);
  const width = (hzToMel(SAMPLE_RATE_HZ / 2) - lowest) / (MEL_BINS + 1);
  const filters = new Float32Array(MEL_BINS * BINS);
  for (let mel = 0; mel < MEL_BINS; mel++) {
    const centre = lowest + (mel + 1) * width;
    for (let bin = 0; bin < BINS - 1; bin++) {
      const distance = Math.abs(hzToMel((bin * SAMPLE_RATE_HZ) / FFT_SIZE) - centre);
      filters[mel * BINS + bin] = Math.max(0, 1 - distance / width);
    }
  }
  return filters;
}
