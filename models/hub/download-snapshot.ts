import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readlink, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { anySignal } from './any-signal.ts';
import { NEW_SUFFIX, RepoCache } from './cache-layout.ts';
import { type Disk, diskFull, explainClosed, isDiskFull } from './disk.ts';
import type { DownloadContext } from './download-context.ts';
import { downloadFile, hasBlob } from './download-file.ts';
import type { HubClient } from './hub-client.ts';
import { type HubListing, listHub, type RemoteFile } from './hub-listing.ts';
import { assertComplete, type ModelNeeds } from './needs.ts';
import { readProgress } from './partial-file.ts';
import { isCommit } from './reference.ts';
import { Slots } from './slots.ts';

export interface Snapshot {
  readonly folder: string;
  readonly commit: string;
}

/**
 * Downloads what a model needs into a cache that Python's huggingface_hub can read as well. Links
 * appear under `snapshots/` only once every file is complete and verified, the branch last.
 * @throws {SttError} MODEL_NOT_FOUND, MODEL_ACCESS_DENIED, MODEL_DOWNLOAD_FAILED,
 * MODEL_CACHE_READ_ONLY, DISK_FULL; and the signal's reason.
 */
export async function downloadSnapshot(
  root: string,
  needs: ModelNeeds,
  { client, disk }: { readonly client: HubClient; readonly disk: Disk },
  signal: AbortSignal,
): Promise<Snapshot> {
  try {
    await disk.prepareFolder(root);
    const cache = new RepoCache(root, client.reference.repo);
    const listing = await listHub(client, signal);
    const slots = new Slots(client.tuning.connections);
    const context = { client, cache, commit: listing.commit, disk, slots };
    const files = await choose(needs, listing, context, signal);
    const contents = [...new Map(files.map((file) => [file.hash, file])).values()];
    await requireSpace(contents, context);
    await downloadAll(contents, context, signal);
    await publish(files, context);
    return { folder: cache.snapshot(listing.commit), commit: listing.commit };
  } catch (thrown) {
    signal.throwIfAborted();
    if (isDiskFull(thrown)) throw diskFull(1, await disk.freeBytes(root), thrown);
    throw explainClosed(thrown);
  }
}

async function choose(
  needs: ModelNeeds,
  { files }: HubListing,
  context: DownloadContext,
  signal: AbortSignal,
): Promise<RemoteFile[]> {
  const wanted = await needs({
    paths: new Set(files.keys()),
    readText: async (path) => {
      const file = files.get(path)!;
      await downloadFile(file, context, signal);
      return readFile(context.cache.blob(file.hash), 'utf8');
    },
  });
  assertComplete(wanted, `${context.client.reference.repo} on the Hub`);
  return wanted.files.map((path) => files.get(path)!);
}

async function requireSpace(files: readonly RemoteFile[], context: DownloadContext): Promise<void> {
  const { cache, disk } = context;
  const missing = await Promise.all(
    files.map(async (file) => {
      if (await hasBlob(cache, file)) return 0;
      const progress = await readProgress(cache.partial(file.hash), file.sizeBytes);
      return file.sizeBytes - (progress?.doneBytes ?? 0);
    }),
  );
  const neededBytes = missing.reduce((sum, bytes) => sum + bytes, 0);
  await mkdir(cache.folder, { recursive: true });
  const freeBytes = await disk.freeBytes(cache.folder);
  if (freeBytes < neededBytes) throw diskFull(neededBytes, freeBytes);
}

/** Ends when every file has ended; the first failure stops the others. */
async function downloadAll(
  files: readonly RemoteFile[],
  context: DownloadContext,
  signal: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const stop = anySignal(signal, failure.signal);
  const smallestFirst = [...files].sort((one, other) => one.sizeBytes - other.sizeBytes);
  await Promise.all(
    smallestFirst.map((file) =>
      downloadFile(file, context, stop).catch((thrown: unknown) => failure.abort(thrown)),
    ),
  );
  signal.throwIfAborted();
  failure.signal.throwIfAborted();
}

async function publish(files: readonly RemoteFile[], context: DownloadContext): Promise<void> {
  const { cache, commit, client } = context;
  const snapshot = cache.snapshot(commit);
  for (const { path, hash } of files) await linkTo(cache.blob(hash), join(snapshot, path), cache);
  const { revision } = client.reference;
  if (isCommit(revision)) return;
  await inOneStep(cache.ref(revision), cache, (path) => writeFile(path, commit));
}

/** Relative, so that the cache can be moved and mounted elsewhere. */
async function linkTo(blob: string, path: string, cache: RepoCache): Promise<void> {
  const target = relative(dirname(path), blob);
  if ((await readlink(path).catch(() => undefined)) === target) return;
  await inOneStep(path, cache, (temporary) => symlink(target, temporary));
}

/** The file appears whole or not at all, over an older one if need be. */
async function inOneStep(
  path: string,
  cache: RepoCache,
  create: (path: string) => Promise<void>,
): Promise<void> {
  const temporary = join(cache.folder, `${randomUUID()}${NEW_SUFFIX}`);
  await mkdir(dirname(path), { recursive: true });
  await create(temporary);
  await rename(temporary, path);
}
