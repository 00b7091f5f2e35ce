import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { JobProgress } from '../job.ts';
import type { JobClaims } from '../store/job-claims.ts';
import type { ClaimedJob } from '../store/job-row.ts';
import type { ExecutionContext } from './contracts.ts';
import type { LiveJobs } from './live-jobs.ts';

export interface RunContextParts {
  readonly live: LiveJobs;
  readonly claims: JobClaims;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly timing: { readonly progressMs: number };
}

interface RunContext {
  readonly context: ExecutionContext;
  /** Where the job runs elsewhere by now. */
  readonly remoteId: () => string | null;
}

/** What the executor of a claimed job is given: it tells watchers, and notes what must survive. */
export function runContextOf(
  row: ClaimedJob,
  lease: string,
  { live, claims, logger, signal, timing }: RunContextParts,
): RunContext {
  let remoteId = row.remote_id;
  const note = (work: Promise<void>): void => {
    work.catch((thrown: unknown) =>
      logger.debug({ err: SttError.from(thrown) }, 'progress not saved'),
    );
  };
  let nextMs = 0;
  const saveProgress = (progress: JobProgress): void => {
    if (performance.now() < nextMs) return;
    nextMs = performance.now() + timing.progressMs;
    note(claims.saveProgress(lease, progress));
  };
  const context: ExecutionContext = {
    signal,
    logger,
    countedAudioSec: row.counted_sec,
    queuedMs: row.started_ms === null ? undefined : row.started_ms - row.created_ms,
    onProgress: (progress) => {
      live.progressed(row.id, progress);
      saveProgress(progress);
    },
    onAudio: (audioSec) => note(claims.saveCounted(lease, audioSec)),
    onSegments: (segments) => live.addSegments(row.id, segments),
    remote: {
      id: row.remote_id,
      save: (id) => {
        remoteId = id;
        return claims.saveRemoteId(lease, id);
      },
    },
  };
  return { context, remoteId: () => remoteId };
}
