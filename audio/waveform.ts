import type { SampleRange } from './time.ts';

/** A decoded recording, 16 kHz mono, read piece by piece so that memory does not grow with length. */
export interface Waveform {
  readonly sampleCount: number;
  /** Samples in [-1, 1]. The range must lie inside `[0, sampleCount)`. */
  read(range: SampleRange): Promise<Float32Array<ArrayBuffer>>;
}

/** What was wrong with a recording that could be decoded. */
export interface AudioWarning {
  readonly code: 'AUDIO_TRUNCATED' | 'AUDIO_DAMAGED';
  readonly message: string;
  /** The parts of the recording that it is about. */
  readonly ranges?: readonly SampleRange[];
  /** How long the recording should be, and is; `announcedSec` where the file says so. */
  readonly announcedSec?: number;
  readonly decodedSec?: number;
}

/** A waveform in a temp file; whoever opened it must close it, and closing removes the file. */
export interface SpooledWaveform extends Waveform {
  readonly warnings: readonly AudioWarning[];
  close(): Promise<void>;
}
