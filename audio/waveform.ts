import type { SampleRange } from './time.ts';

/** A decoded recording, 16 kHz mono, read piece by piece so that memory does not grow with length. */
export interface Waveform {
  readonly sampleCount: number;
  /** Samples in [-1, 1]. The range must lie inside `[0, sampleCount)`. */
  read(range: SampleRange): Promise<Float32Array<ArrayBuffer>>;
}

/** A waveform in a temp file; whoever opened it must close it, and closing removes the file. */
export interface SpooledWaveform extends Waveform {
  close(): Promise<void>;
}
