import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SttError } from '../../core/errors.ts';
import type { Refinement } from './contracts.ts';
import { Persistence } from './delays.ts';
import type { SessionAudio } from './session-audio.ts';
import type { SessionIdentity, SessionStore } from './session-store.ts';

const NAME = 'session.wav';

export interface HandOverParts {
  readonly refinement: Refinement;
  readonly store: SessionStore;
  readonly audio: SessionAudio;
  readonly signal: AbortSignal;
  /** It fails, and is tried again until it does not. */
  readonly onLate: (error: SttError) => void;
}

/**
 * Gives the audio of a session that has ended to a job, and returns its id; null where none is kept.
 * The session's files may be removed then.
 * @throws {SttError} the reason of `signal`: the session stays, for the next process to hand over.
 */
export async function handOver(
  { key: jobId, keepsAudio, ...identity }: SessionIdentity,
  { refinement, store, audio, signal, onLate }: HandOverParts,
): Promise<string | null> {
  if (!keepsAudio || audio.sampleCount === 0) return null;
  const path = join(store.folder, NAME);
  const work = async (): Promise<void> => {
    try {
      const bytes = await writeWav(path, audio);
      const { meetingId, tenant, language, languages = [], webhookUrl } = identity;
      const { chineseScript = null } = identity;
      const asked = { meetingId, tenant, language, languages, chineseScript, webhookUrl };
      await refinement.handOver({ jobId, ...asked, path, bytes });
    } catch (thrown) {
      onLate(SttError.from(thrown));
      throw thrown;
    }
  };
  await new Persistence(() => undefined, { patienceMs: Number.POSITIVE_INFINITY, signal }).run(
    work,
  );
  return jobId;
}

/** A file of its own each time: the one before may have become a job's, by a link. */
async function writeWav(path: string, audio: SessionAudio): Promise<number> {
  await rm(path, { force: true });
  await pipeline(audio.asWav(), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  return (await stat(path)).size;
}
