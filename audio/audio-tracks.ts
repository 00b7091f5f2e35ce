import { SttError } from '../core/errors.ts';
import { type FfmpegCall, runFfmpeg } from './ffmpeg-process.ts';
import type { MediaType } from './media-type.ts';
import type { SpooledSamples } from './spooled-waveform.ts';
import type { AudioWarning } from './waveform.ts';

/** Which of a file's audio tracks is meant. */
export interface AudioTracks {
  readonly count: number;
  /** Counted from 0. */
  readonly chosen: number;
}

const SINGLE_TRACK: ReadonlySet<MediaType> = new Set(['wav', 'mp3', 'flac']);
/** A line for each track; ffmpeg prints the values of a file's own tags behind a name and a colon. */
const AUDIO_TRACK = /^ *Stream #0:\d+(?:\[[^\]]*\])?(?:\([^)]*\))?: Audio:.*$/gm;
/** Tags may stand between the tracks. */
const MAX_LISTING_CHARS = 256 * 1024;
/** Below this a track says nothing. */
const SILENT_DB = -90;

/** @throws {SttError} INPUT_INVALID */
export const onlyTrack = (asked: number | null): AudioTracks => chooseTrack([false], asked);

/**
 * The track that is asked for, else the one that is marked as default, else the first.
 * @throws {SttError} INPUT_INVALID for one that there is not; the codes of `runFfmpeg`.
 */
export async function findTrack(
  { mediaType, asked }: { readonly mediaType: MediaType; readonly asked: number | null },
  call: FfmpegCall,
  signal: AbortSignal,
): Promise<AudioTracks> {
  if (SINGLE_TRACK.has(mediaType)) return onlyTrack(asked);
  const listing = { ...call, maxComplaintChars: MAX_LISTING_CHARS };
  const { complaints } = await runFfmpeg(listing, async () => undefined, signal);
  const areDefault = [...complaints.matchAll(AUDIO_TRACK)].map(([line]) =>
    /\(default\)/.test(line),
  );
  // What cannot be listed is left to the decoder to complain of.
  return areDefault.length === 0
    ? { count: 0, chosen: asked ?? 0 }
    : chooseTrack(areDefault, asked);
}

function chooseTrack(areDefault: readonly boolean[], asked: number | null): AudioTracks {
  const count = areDefault.length;
  if (asked !== null && asked >= count) {
    const found = count === 1 ? '1 audio track' : `${count} audio tracks`;
    const message = `audio_track: the file has ${found}, counted from 0`;
    throw new SttError('INPUT_INVALID', message);
  }
  return { count, chosen: asked ?? Math.max(0, areDefault.indexOf(true)) };
}

/** What is to be known about a choice among several tracks. */
export function trackWarnings(
  { count, chosen }: AudioTracks,
  waveforms: readonly SpooledSamples[],
): AudioWarning[] {
  if (count < 2) return [];
  const several = `The file has ${count} audio tracks: track ${chosen}, counted from 0, was taken`;
  const warnings: AudioWarning[] = [{ code: 'AUDIO_TRACKS', message: several, count }];
  if (waveforms.every(({ peakLevelDb }) => peakLevelDb < SILENT_DB)) {
    const message = `Track ${chosen} is silent: audio_track chooses another one`;
    warnings.push({ code: 'AUDIO_TRACK_SILENT', message });
  }
  return warnings;
}
