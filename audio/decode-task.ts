import { SttError } from '../core/errors.ts';
import type { AudioTracks } from './audio-tracks.ts';
import type { MediaType } from './media-type.ts';
import type { RecordingSpool } from './recording-spool.ts';
import { SAMPLE_RATE_HZ } from './time.ts';
import type { AudioWarning } from './waveform.ts';

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

/** What came of it. */
export interface DecodedAudio {
  readonly tracks: AudioTracks;
  readonly warnings: readonly AudioWarning[];
}

/** One hour of AAC is a frame longer, and a recorder told to stop after an hour is no stopwatch. */
const GRACE_SEC = 1;

export const maxSamples = (maxSec: number): number =>
  Math.floor((maxSec + GRACE_SEC) * SAMPLE_RATE_HZ);

export const tooLong = (maxSec: number): SttError =>
  new SttError('AUDIO_TOO_LONG', `The audio is longer than the allowed ${maxSec} s`);
