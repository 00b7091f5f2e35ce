import { SttError } from '../core/errors.ts';
import type { MediaType } from './media-type.ts';
import type { RecordingSpool } from './recording-spool.ts';

/** One recording to turn into 16 kHz float32 samples. */
export interface DecodeTask {
  /** Absolute. */
  readonly path: string;
  readonly mediaType: MediaType;
  /** Of several audio tracks, counted from 0; null: the one marked as default, else the first. */
  readonly audioTrack: number | null;
  /** Empty; receives the samples. */
  readonly output: RecordingSpool;
  /** Private; where a child process runs. */
  readonly workingFolder: string;
}

export const tooLong = (maxSec: number): SttError =>
  new SttError('AUDIO_TOO_LONG', `The audio is longer than the allowed ${maxSec} s`);
