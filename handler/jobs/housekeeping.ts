import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { pause } from '../runpod/pause.ts';
import type { Store } from '../store/open-store.ts';
import { dayOf } from '../store/usage-store.ts';
import type { UploadFolder } from './upload-folder.ts';

/** Between the arrival of a file and that of its job pass moments, unless the database fails. */
const MIN_ORPHAN_AGE_MS = 60 * 60 * 1000;
/** Enough for the bill of last year. */
const USAGE_KEPT_MS = 400 * 24 * 60 * 60 * 1000;

export interface HousekeepingParts {
  readonly store: Store;
  readonly uploads: UploadFolder;
  readonly logger: Logger;
  readonly maxAttempts: number;
  /** A job that waits longer has failed. */
  readonly maxWaitMs: number;
  readonly everyMs: number;
  /** Leases that this process holds. */
  readonly heldLeases: () => readonly string[];
  /** Jobs may be queued again, or have failed for good. */
  readonly onRecovered: () => void;
}

/** Before anything is accepted: what a dead predecessor of the only process has left. */
export async function tidyAtStart(parts: HousekeepingParts): Promise<void> {
  const { store } = parts;
  if (store.isExclusive) await store.deliveries.recover();
  await tidy(parts, store.isExclusive ? 0 : MIN_ORPHAN_AGE_MS);
}

/** Every now and then until the signal: jobs of dead gateways, old results, orphaned files. */
export async function keepTidy(parts: HousekeepingParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(parts.everyMs, signal);
    if (signal.aborted) return;
    try {
      await tidy(parts, MIN_ORPHAN_AGE_MS);
    } catch (thrown) {
      parts.logger.warn({ err: SttError.from(thrown) }, 'job store failed');
    }
  }
}

async function tidy(parts: HousekeepingParts, minAgeMs: number): Promise<void> {
  await recoverJobs(parts);
  await removeOldThings(parts, minAgeMs);
}

/** Where nobody else can run jobs, a lease that is not ours is nobody's, however long it lasts. */
async function recoverJobs({
  store,
  logger,
  maxAttempts,
  maxWaitMs,
  heldLeases,
  onRecovered,
}: HousekeepingParts): Promise<void> {
  const held = store.isExclusive ? heldLeases() : null;
  const { queued, failed } = await store.claims.recover(maxAttempts, held);
  const overdue = await store.claims.failOverdue(maxWaitMs);
  if (queued + failed + overdue === 0) return;
  logger.warn({ queued, failed, overdue }, 'jobs recovered');
  onRecovered();
}

async function removeOldThings(
  { store, uploads, logger }: HousekeepingParts,
  minAgeMs: number,
): Promise<void> {
  const jobs = await store.jobs.expire();
  const files = (await removeForgotten(store, uploads)) + (await sweep(store, uploads, minAgeMs));
  await store.usage.expire(dayOf(Date.now() - USAGE_KEPT_MS));
  if (jobs > 0 || files > 0) logger.info({ jobs, files }, 'expired jobs removed');
}

/** Recordings of jobs that another process has ended or deleted. */
async function removeForgotten({ jobs }: Store, uploads: UploadFolder): Promise<number> {
  let removed = 0;
  for (const name of await jobs.forgotten.of(uploads.volume)) {
    if (await uploads.remove(name)) removed += 1;
    await jobs.forgotten.removed(uploads.volume, name);
  }
  return removed;
}

async function sweep({ jobs }: Store, uploads: UploadFolder, minAgeMs: number): Promise<number> {
  const inUse = await jobs.uploadsInUse(uploads.volume);
  return await uploads.sweep(inUse, minAgeMs);
}
