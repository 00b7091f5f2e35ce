import { mkdir, stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { SttError } from '../../core/errors.ts';
import { anySignal } from './any-signal.ts';
import type { RepoCache } from './cache-layout.ts';
import { RunningChecksum } from './checksum.ts';
import { diskFull, isDiskFull } from './disk.ts';
import type { DownloadContext, FileContext } from './download-context.ts';
import { fetchPieces } from './fetch-pieces.ts';
import { withFileLock } from './file-lock.ts';
import type { RemoteFile } from './hub-listing.ts';
import { PartialFile, removePartial } from './partial-file.ts';
import { ProgressMeter } from './progress-meter.ts';

/** Content that arrived damaged is fetched a second time, from the start. */
const HASH_ATTEMPTS = 2;
const CHECK_EVERY_MS = 50;

/** Whether the cache has the content of a file; its name vouches for it. */
export async function hasBlob(cache: RepoCache, { hash, sizeBytes }: RemoteFile): Promise<boolean> {
  const found = await stat(cache.blob(hash)).catch(() => undefined);
  return found?.size === sizeBytes;
}

/**
 * Brings the content of one file into the cache, under its hash, verified. Of several processes
 * one downloads and the others wait.
 * @throws {SttError} DISK_FULL, MODEL_DOWNLOAD_FAILED, MODEL_ACCESS_DENIED, MODEL_NOT_FOUND.
 */
export async function downloadFile(
  file: RemoteFile,
  context: DownloadContext,
  signal: AbortSignal,
): Promise<void> {
  const { cache, client } = context;
  const { hooks, tuning } = client;
  const meter = new ProgressMeter(file, tuning.progressEveryMs, (progress) =>
    hooks.onProgress?.(progress),
  );
  const rules = {
    staleMs: tuning.lockStaleMs,
    pollMs: tuning.lockPollMs,
    onWait: () => hooks.onWait?.(file.path),
  };
  let hasLostLock = false;
  while (!(await hasBlob(cache, file))) {
    await withFileLock(cache.lock(file.hash), rules, signal, async (lease) => {
      if (await hasBlob(cache, file)) return;
      try {
        await fetchVerified(file, { ...context, meter, lease }, anySignal(signal, lease.lost));
      } catch (thrown) {
        await lease.confirm().catch(() => undefined); // a lost lock explains whatever went wrong
        if (!lease.lost.aborted || signal.aborted) throw thrown; // else whoever has the lock goes on
        hasLostLock = true;
      }
    });
  }
  // What was being written in the moment of the freeze may have come after the end.
  if (hasLostLock) await removePartial(cache.partial(file.hash));
  meter.update(0, file.sizeBytes);
}

async function fetchVerified(
  file: RemoteFile,
  context: FileContext,
  signal: AbortSignal,
): Promise<void> {
  const { cache, client, disk, lease } = context;
  const { pieceBytes, saveEveryMs } = client.tuning;
  const path = cache.partial(file.hash);
  const options = { path, sizeBytes: file.sizeBytes, pieceBytes, saveEveryMs, disk, lease };
  await mkdir(cache.blobs, { recursive: true });
  for (let attempt = 1; attempt <= HASH_ATTEMPTS; attempt += 1) {
    const partial = await PartialFile.open(options);
    try {
      const isIntact = await fetchWhole(file, partial, context, signal);
      if (isIntact) return await partial.becomes(cache.blob(file.hash));
    } finally {
      await partial.close();
    }
    await lease.confirm(); // else it is damaged because someone else has begun anew
    await removePartial(path);
    if (attempt < HASH_ATTEMPTS) {
      const reason = 'The content did not match its checksum';
      client.hooks.onRetry?.({ file: file.path, failures: attempt, waitMs: 0, reason });
    }
  }
  throw new SttError(
    'MODEL_DOWNLOAD_FAILED',
    `A file of ${file.sizeBytes} bytes arrived ${HASH_ATTEMPTS} times with content that does not match its checksum`,
  );
}

/** Fetches all bytes and says whether they are the right ones. After a failure they stay for the next attempt. */
async function fetchWhole(
  file: RemoteFile,
  partial: PartialFile,
  context: FileContext,
  signal: AbortSignal,
): Promise<boolean> {
  const checksum = new RunningChecksum(file.hash, file.sizeBytes);
  const fetched = new AbortController();
  const checking = checkAlong(partial, checksum, fetched.signal);
  try {
    await fetchPieces(file, partial, context, signal);
  } catch (thrown) {
    await partial.save().catch(() => undefined); // the disk may be full; the first failure counts
    if (!isDiskFull(thrown)) throw thrown;
    const missingBytes = file.sizeBytes - partial.pieces.doneBytes;
    throw diskFull(missingBytes, await context.disk.freeBytes(context.cache.blobs), thrown);
  } finally {
    fetched.abort();
    await checking;
  }
  await partial.check(checksum, signal);
  signal.throwIfAborted();
  return checksum.matches();
}

/** Ends soon after the signal; what it has not done by then is left to the caller. */
async function checkAlong(
  partial: PartialFile,
  checksum: RunningChecksum,
  signal: AbortSignal,
): Promise<void> {
  try {
    while (!signal.aborted) {
      await partial.check(checksum, signal);
      await wait(CHECK_EVERY_MS, undefined, { signal });
    }
  } catch {
    // Stopped; or the disk cannot be read, which the caller will find out as well.
  }
}
