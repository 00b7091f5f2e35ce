import type { SampleRange } from './time.ts';

/** A decoded recording, 16 kHz mono, read piece by piece so that memory does not grow with length. */
export interface Waveform {
  readonly sampleCount: number;
  /**
   * Samples of which 1 is full scale; what a float recording holds above it stays. The range must
   * lie inside `[0, sampleCount)`.
   */
  read(range: SampleRange): Promise<Float32Array<ArrayBuffer>>;
}

/** Something about a recording that its owner should know, although it could be decoded. */
export interface AudioWarning {
  readonly code: 'AUDIO_TRUNCATED' | 'AUDIO_DAMAGED' | 'AUDIO_TRACKS' | 'AUDIO_TRACK_SILENT';
  readonly message: string;
  /** How many there were, where that can be counted. */
  readonly count?: number;
  /** The parts of the recording that it is about. */
  readonly ranges?: readonly SampleRange[];
  /** How long the recording should be, and is; `announcedSec` where the file says so. */
  readonly announcedSec?: number;
  readonly decodedSec?: number;
}

/** A waveform in a temp file; whoever opened it must close it, and closing removes the file. */
export interface SpooledWaveform extends Waveform {
  /** Each channel by itself, where that was asked for; the waveform is their mean then. */
  readonly channels?: readonly Waveform[];
  readonly warnings: readonly AudioWarning[];
  close(): Promise<void>;
}
