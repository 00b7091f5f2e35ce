import { SAMPLE_RATE_HZ } from '../../audio/time.ts';

/** Slaney's mel scale: linear below 1 kHz, logarithmic above (librosa's default). */
const LINEAR_HZ_PER_MEL = 200 / 3;
const LOG_REGION_START_HZ = 1000;
const LOG_REGION_START_MEL = LOG_REGION_START_HZ / LINEAR_HZ_PER_MEL;
const LOG_STEP = Math.log(6.4) / 27;

const hzToMel = (hz: number): number =>
  hz < LOG_REGION_START_HZ
    ? hz / LINEAR_HZ_PER_MEL
    : LOG_REGION_START_MEL + Math.log(hz / LOG_REGION_START_HZ) / LOG_STEP;

const melToHz = (mel: number): number =>
  mel < LOG_REGION_START_MEL
    ? mel * LINEAR_HZ_PER_MEL
    : LOG_REGION_START_HZ * Math.exp(LOG_STEP * (mel - LOG_REGION_START_MEL));

/**
 * Triangular mel filters with Slaney's area normalisation, row-major `[melBins, fftSize / 2 + 1]`,
 * as librosa.filters.mel and openai-whisper's `mel_filters.npz`.
 */
export function slaneyMelFilters(melBins: number, fftSize: number): Float32Array {
  const bins = fftSize / 2 + 1;
  const maxMel = hzToMel(SAMPLE_RATE_HZ / 2);
  const edgesHz = Array.from({ length: melBins + 2 }, (_, edge) =>
    melToHz((maxMel * edge) / (melBins + 1)),
  );
  const filters = new Float32Array(melBins * bins);
  for (let mel = 0; mel < melBins; mel++) {
    const [low, centre, high] = [edgesHz[mel]!, edgesHz[mel + 1]!, edgesHz[mel + 2]!];
    const norm = 2 / (high - low);
    for (let bin = 0; bin < bins; bin++) {
      const hz = (bin * SAMPLE_RATE_HZ) / fftSize;
      const rising = (hz - low) / (centre - low);
      const falling = (high - hz) / (high - centre);
      filters[mel * bins + bin] = Math.max(0, Math.min(rising, falling)) * norm;
    }
  }
  return filters;
}

/**
 * Windowed DFT as the kernels of a convolution, `[2 · (windowSamples / 2 + 1), 1, windowSamples]`:
 * first the cosine rows, then the sine rows, each times a periodic Hann window.
 */
export function windowedDftKernels(windowSamples: number): Float32Array {
  const bins = windowSamples / 2 + 1;
  const kernels = new Float32Array(2 * bins * windowSamples);
  for (let bin = 0; bin < bins; bin++) {
    for (let sample = 0; sample < windowSamples; sample++) {
      const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * sample) / windowSamples);
      const phase = (2 * Math.PI * ((bin * sample) % windowSamples)) / windowSamples;
      kernels[bin * windowSamples + sample] = Math.cos(phase) * hann;
      kernels[(bins + bin) * windowSamples + sample] = Math.sin(phase) * hann;
    }
  }
  return kernels;
}
