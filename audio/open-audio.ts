import { rm } from 'node:fs/promises';
import { SttError } from '../core/errors.ts';
import { trackWarnings } from './audio-tracks.ts';
import { writeBase64 } from './base64.ts';
import { decodeAudio } from './decode.ts';
import { fetchAudio } from './fetch-audio.ts';
import type { AudioLimits } from './limits.ts';
import { inspectMedia } from './media-type.ts';
import { resolveAudioPath } from './path-source.ts';
import { type ChannelMode, RecordingSpool } from './recording-spool.ts';
import { createSpoolFolder, type SpoolFolder } from './spool.ts';
import { spooledRecording } from './spooled-waveform.ts';
import type { SpooledWaveform } from './waveform.ts';

export type AudioSource =
  | { readonly kind: 'base64'; readonly data: string }
  | { readonly kind: 'url'; readonly url: string }
  /** Absolute, or relative to `AudioLimits.root`. */
  | { readonly kind: 'path'; readonly path: string };

/** What of a recording is meant. */
export interface AudioSelection {
  /** `mix` by default. */
  readonly channels?: ChannelMode;
  /** Of several audio tracks, counted from 0; by default the one marked as default, else the first. */
  readonly audioTrack?: number | null;
}

/**
 * Fetches, checks and decodes an untrusted recording into a temp file, in constant memory.
 * Either the caller gets a waveform to close, or nothing is left: no file, handle or process.
 * @throws {SttError} Its codes are those of the sources, of decoding, and JOB_CANCELLED.
 */
export async function openAudio(
  source: AudioSource,
  limits: AudioLimits,
  signal: AbortSignal,
  { channels = 'mix', audioTrack = null }: AudioSelection = {},
): Promise<SpooledWaveform> {
  const spool = await createSpoolFolder(limits.spoolDir);
  try {
    signal.throwIfAborted();
    const path = await obtain(source, spool, limits, signal);
    const mediaType = await inspectMedia(path);
    const output = new RecordingSpool(spool, channels);
    const task = { path, mediaType, audioTrack, output, workingFolder: spool.path };
    const { tracks, warnings } = await decodeAudio(task, limits, signal);
    const waveforms = await output.finish();
    signal.throwIfAborted();
    if (source.kind !== 'path') await rm(path);
    return spooledRecording(waveforms, {
      isSeparate: channels === 'separate',
      warnings: [...warnings, ...trackWarnings(tracks, waveforms)],
      close: spool.remove,
    });
  } catch (thrown) {
    await spool.remove();
    throw signal.aborted ? cancelled(signal) : SttError.from(thrown);
  }
}

/** The path of a local file with the recording. */
async function obtain(
  source: AudioSource,
  spool: SpoolFolder,
  limits: AudioLimits,
  signal: AbortSignal,
): Promise<string> {
  if (source.kind === 'path') return resolveAudioPath(source.path, limits.root, limits.maxBytes);
  const { path, handle } = await spool.createFile();
  if (source.kind === 'url') await fetchAudio(source.url, handle, limits, signal);
  else await writeBase64(source.data, handle, limits.maxBytes, signal);
  return path;
}

/** Keeps a reason of ours, such as SHUTTING_DOWN. */
const cancelled = ({ reason }: AbortSignal): SttError =>
  reason instanceof SttError
    ? reason
    : new SttError('JOB_CANCELLED', 'The job was cancelled', { cause: reason });
