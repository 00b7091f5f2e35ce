import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { pause } from '../runpod/pause.ts';
import type { Store } from '../store/open-store.ts';
import type { UploadFolder } from './upload-folder.ts';

/** Between the arrival of a file and that of its job pass moments, unless the database fails. */
const MIN_ORPHAN_AGE_MS = 60 * 60 * 1000;

export interface HousekeepingParts {
  readonly store: Store;
  readonly uploads: UploadFolder;
  readonly logger: Logger;
  readonly maxAttempts: number;
  readonly everyMs: number;
  /** Jobs may be queued again, or have failed for good. */
  readonly onRecovered: () => void;
}

/** Before the first job is taken: what a dead predecessor of the only process has left. */
export async function tidyAtStart(parts: HousekeepingParts): Promise<void> {
  await recoverJobs(parts, parts.store.isExclusive);
  await removeOldThings(parts, parts.store.isExclusive ? 0 : MIN_ORPHAN_AGE_MS);
}

/** Every now and then until the signal: jobs of dead gateways, old results, orphaned files. */
export async function keepTidy(parts: HousekeepingParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(parts.everyMs, signal);
    if (signal.aborted) return;
    try {
      // The only process is alive, however long it slept: nobody else could have renewed.
      if (!parts.store.isExclusive) await recoverJobs(parts, false);
      await removeOldThings(parts, MIN_ORPHAN_AGE_MS);
    } catch (thrown) {
      parts.logger.warn({ err: SttError.from(thrown) }, 'job store failed');
    }
  }
}

async function recoverJobs(
  { store, logger, maxAttempts, onRecovered }: HousekeepingParts,
  all: boolean,
): Promise<void> {
  const { queued, failed } = await store.claims.recover(maxAttempts, all);
  if (queued === 0 && failed === 0) return;
  logger.warn({ queued, failed }, 'jobs recovered');
  onRecovered();
}

async function removeOldThings(
  { store, uploads, logger }: HousekeepingParts,
  minAgeMs: number,
): Promise<void> {
  const jobs = await store.jobs.expire();
  const inUse = await store.jobs.uploadsInUse(uploads.volume);
  const files = await uploads.sweep(inUse, minAgeMs);
  if (jobs > 0 || files > 0) logger.info({ jobs, files }, 'expired jobs removed');
}
