/** Every model runs at this rate; `audio/` is the only producer of samples. */
export const SAMPLE_RATE_HZ = 16_000;

/** Half-open range of 16 kHz samples, `[start, end)`. */
export interface SampleRange {
  readonly start: number;
  readonly end: number;
}

export const samplesToSec = (samples: number): number => samples / SAMPLE_RATE_HZ;
export const secToSamples = (sec: number): number => Math.round(sec * SAMPLE_RATE_HZ);
export const msToSamples = (ms: number): number => Math.round((ms * SAMPLE_RATE_HZ) / 1000);
