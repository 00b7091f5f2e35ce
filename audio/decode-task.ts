import { SttError } from '../core/errors.ts';
import type { MediaType } from './media-type.ts';
import type { SpoolFile } from './spool.ts';

/** One recording to turn into 16 kHz mono int16 samples. */
export interface DecodeTask {
  /** Absolute. */
  readonly path: string;
  readonly mediaType: MediaType;
  /** Empty; receives the samples, little-endian and without a header. */
  readonly output: SpoolFile;
  /** Private; where a child process runs. */
  readonly workingFolder: string;
}

export const tooLong = (maxSec: number): SttError =>
  new SttError('AUDIO_TOO_LONG', `The audio is longer than the allowed ${maxSec} s`);
