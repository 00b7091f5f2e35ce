import { slaneyMelFilters, windowedDftKernels } from '../features/mel-filters.ts';
import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import { powerMels } from './power-mels.ts';

const WINDOW_SAMPLES = 400;
const HOP_SAMPLES = 160;
const MEL_BINS = 40;
const BINS = WINDOW_SAMPLES / 2 + 1;

/** Root mean square of −30 dB below full scale: quieter excerpts are made this loud. */
const LEAST_LEVEL = 10 ** (-30 / 20);
const SILENCE = 1e-6;

/**
 * What the GE2E encoder of Resemblyzer 0.1.4 hears: `waveform` float32 `[batch, samples]` → power mel
 * spectrogram without logarithm, `[batch, samples / 160, 40]`, centred with zero padding, Slaney mels
 * (largest relative difference: golden test). As there, quiet excerpts are raised to −30 dBFS first:
 * without a logarithm the level decides how the encoder hears a voice.
 */
export function ge2eMels(graph: OnnxGraph, waveform: Value, samples: number): Value {
  return graph.in('ge2e_mels', () => {
    const loud = raisedLevel(graph, waveform, samples);
    const pad = WINDOW_SAMPLES / 2;
    const padded = graph.op('Pad', [loud, graph.integers([0, pad, 0, pad])]);
    return powerMels(graph, padded, {
      kernels: graph.floats(windowedDftKernels(WINDOW_SAMPLES), [2 * BINS, 1, WINDOW_SAMPLES]),
      bins: BINS,
      filters: graph.floats(slaneyMelFilters(MEL_BINS, WINDOW_SAMPLES), [MEL_BINS, BINS]),
      hopSamples: HOP_SAMPLES,
      frames: Math.floor(samples / HOP_SAMPLES),
    });
  });
}

function raisedLevel(graph: OnnxGraph, waveform: Value, samples: number): Value {
  const energy = graph.op(
    'ReduceSum',
    [graph.op('Mul', [waveform, waveform]), graph.integers([1])],
    {
      keepdims: { int: 1 },
    },
  );
  const level = graph.op('Sqrt', [graph.op('Div', [energy, graph.float(samples)])]);
  const audible = graph.op('Max', [level, graph.float(SILENCE)]);
  const gain = graph.op('Div', [graph.float(LEAST_LEVEL), audible]);
  return graph.op('Mul', [waveform, graph.op('Max', [gain, graph.float(1)])]);
}
