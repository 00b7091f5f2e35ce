import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeBase64 } from '../../audio/base64.ts';
import { resolveAudioPath } from '../../audio/path-source.ts';
import { createSpoolFolder } from '../../audio/spool.ts';
import { SttError } from '../../core/errors.ts';
import { audioSourceOf } from '../audio-source.ts';
import { MAX_INLINE_BYTES, MAX_INLINE_CHARS, tooLarge } from '../dispatch/inline-audio.ts';
import type { ServiceJob, Upload } from '../jobs/contracts.ts';
import type { AudioStore } from './audio-store.ts';

export interface HandoverOptions {
  /** None: recordings too large to travel inside a job are refused. */
  readonly store: AudioStore | undefined;
  /** How long a worker may need until it has fetched one. */
  readonly validMs: number;
  readonly audio: {
    /** Folder below which `audio_url` may name a file; with keys each tenant has its own in it. */
    readonly root: string | undefined;
    readonly maxBytes: number;
    readonly spoolDir: string | undefined;
  };
}

/** The input of a job as a worker elsewhere can run it. */
export interface RemoteInput {
  readonly input: Readonly<Record<string, unknown>>;
  /** After the job; false when a copy of the recording may be left. Never throws. */
  release(): Promise<boolean>;
}

/**
 * Makes a job's recording reachable for a worker: inside the job where it is small, else from the
 * store, under the job's name. A URL stays what it is: the worker fetches it.
 * @throws {SttError} AUDIO_TOO_LARGE, AUDIO_NOT_FOUND, PATH_FORBIDDEN, INPUT_INVALID,
 * HANDOVER_FAILED; and the signal's reason.
 */
export async function handOver(
  job: ServiceJob,
  options: HandoverOptions,
  signal: AbortSignal,
): Promise<RemoteInput> {
  const { input, upload } = job;
  const { audio_url: _, audio_base64: __, ...rest } = input;
  if (upload !== null) return shareFile(upload, { job, rest }, options, signal);
  const source = sourceOf(job);
  switch (source.kind) {
    case 'url':
      return { input, release: nothingLeft };
    case 'path': {
      const recording = await fileBelowRoot(job, source.path, options);
      return shareFile(recording, { job, rest }, options, signal);
    }
    case 'base64':
      if (source.data.length <= MAX_INLINE_CHARS) return { input, release: nothingLeft };
      return shareText(source.data, { job, rest }, options, signal);
  }
}

/** For a job that was sent before: its worker may still come for the recording. Never throws. */
export async function resumeHandover(
  job: ServiceJob,
  options: HandoverOptions,
): Promise<RemoteInput['release']> {
  try {
    const source = job.upload === null ? sourceOf(job) : null;
    if (source !== null && source.kind !== 'path') return nothingLeft;
    const recording =
      job.upload ?? (await fileBelowRoot(job, source === null ? '' : source.path, options));
    if (recording.bytes <= MAX_INLINE_BYTES) return nothingLeft;
    const shared = options.store?.resume(recording, job.id);
    return shared === undefined ? nothingLeft : () => shared.remove();
  } catch {
    return nothingLeft; // what is wrong with the recording its worker will say
  }
}

const nothingLeft = async (): Promise<boolean> => true;

const sourceOf = ({ input: { audio_url, audio_base64 } }: ServiceJob) =>
  audioSourceOf({ audio_url: textOf(audio_url), audio_base64: textOf(audio_base64) });

async function fileBelowRoot(
  { tenant }: ServiceJob,
  path: string,
  { audio: { root, maxBytes } }: HandoverOptions,
): Promise<Upload> {
  const ownRoot = root === undefined || tenant === null ? root : join(root, tenant);
  const resolved = await resolveAudioPath(path, ownRoot, maxBytes);
  return { path: resolved, bytes: (await stat(resolved)).size };
}

interface Handed {
  readonly job: ServiceJob;
  /** Its fields but those that say where the audio is. */
  readonly rest: Readonly<Record<string, unknown>>;
}

async function shareFile(
  recording: Upload,
  { job, rest }: Handed,
  { store, validMs }: HandoverOptions,
  signal: AbortSignal,
): Promise<RemoteInput> {
  if (recording.bytes <= MAX_INLINE_BYTES) {
    const input = { ...rest, audio_base64: await readFile(recording.path, 'base64') };
    return { input, release: nothingLeft };
  }
  if (store === undefined) throw tooLarge(recording.bytes, MAX_INLINE_BYTES);
  const shared = await store.share(recording, { name: job.id, validMs }, signal);
  return { input: { ...rest, audio_url: shared.url }, release: () => shared.remove() };
}

async function shareText(
  data: string,
  handed: Handed,
  options: HandoverOptions,
  signal: AbortSignal,
): Promise<RemoteInput> {
  const { spoolDir, maxBytes } = options.audio;
  const spool = await createSpoolFolder(spoolDir);
  try {
    const { path, handle } = await spool.createFile();
    await writeBase64(data, handle, maxBytes, signal);
    const { size } = await handle.stat();
    const remote = await shareFile({ path, bytes: size }, handed, options, signal);
    return {
      input: remote.input,
      release: async () => {
        await spool.remove();
        return remote.release();
      },
    };
  } catch (thrown) {
    await spool.remove();
    throw thrown;
  }
}

function textOf(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value === 'string') return value;
  throw new SttError('INPUT_INVALID', 'audio_url and audio_base64 must be texts');
}
