import { readdir, readFile, readlink, realpath, rm, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import {
  LOCK_SUFFIX,
  PARTIAL_SUFFIX,
  QUANTIZED_FOLDER,
  RepoCache,
  repoOfFolder,
} from './cache-layout.ts';
import { matchesHash } from './checksum.ts';
import { isOwnerDead } from './file-lock.ts';
import { removePartial } from './partial-file.ts';

export interface CachedSnapshot {
  readonly repo: string;
  readonly commit: string;
  /** Branches and tags that point here. */
  readonly revisions: readonly string[];
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
  /** The folder is a copy in 8 bits that was made here. */
  readonly isQuantized: boolean;
}

export type Verdict = 'intact' | 'damaged' | 'unknown';

const isHash = (name: string): boolean => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(name);

/** Every snapshot of a cache, whoever wrote it, and the copies in 8 bits. */
export async function listCached(root: string): Promise<CachedSnapshot[]> {
  const snapshots: CachedSnapshot[] = [...(await quantizedIn(root, 'folder'))];
  for (const name of await namesIn(root)) {
    const repo = repoOfFolder(name);
    if (repo === undefined) continue;
    const cache = new RepoCache(root, repo);
    const refs = await readRefs(cache);
    for (const commit of await namesIn(cache.snapshots)) {
      const folder = cache.snapshot(commit);
      const revisions = refs.filter((ref) => ref.commit === commit).map((ref) => ref.revision);
      snapshots.push({ repo, commit, revisions, isQuantized: false, ...(await contentOf(folder)) });
    }
    snapshots.push(...(await quantizedIn(cache.folder, repo)));
  }
  return snapshots;
}

/** Beside a repository's snapshots, or, of models that are folders, beside the repositories. */
async function quantizedIn(parent: string, repo: string): Promise<CachedSnapshot[]> {
  const names = await namesIn(join(parent, QUANTIZED_FOLDER));
  const complete = names.filter((name) => !/\.partial-|\.stt-lock/.test(name));
  return Promise.all(
    complete.map(async (name) => ({
      repo,
      commit: name,
      revisions: [],
      isQuantized: true,
      ...(await contentOf(join(parent, QUANTIZED_FOLDER, name))),
    })),
  );
}

async function contentOf(
  folder: string,
): Promise<{ folder: string; files: number; bytes: number }> {
  const sizes = await Promise.all((await filesIn(folder)).map(sizeOf));
  return { folder, files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/**
 * Reads every file of a snapshot again and compares it with the hash that its blob is named by.
 * A file that is no link has no such name: `unknown`.
 */
export async function* verifySnapshot(
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<{ readonly file: string; readonly verdict: Verdict }> {
  for (const path of await filesIn(folder)) {
    const file = relative(folder, path).replaceAll(sep, '/');
    // The first hop is named by the Hub's hash; where Python shares blobs, the second is not.
    const hash = basename(await readlink(path).catch(() => ''));
    if (!isHash(hash)) yield { file, verdict: 'unknown' };
    else {
      const isIntact = await matchesHash(path, hash, signal).catch(() => false);
      yield { file, verdict: isIntact ? 'intact' : 'damaged' };
    }
  }
}

/** Deletes a damaged file's content, so that the next use fetches it again. */
export async function removeDamaged(folder: string, file: string): Promise<void> {
  const path = join(folder, file);
  const content = await realpath(path).catch(() => undefined);
  await rm(path, { force: true });
  if (content !== undefined) await rm(content, { force: true });
}

/**
 * Deletes what interrupted downloads of ours left behind, never what another program wrote nor
 * what a live process may still be writing.
 * @returns the bytes that are free now
 */
export async function pruneLeftovers(root: string): Promise<number> {
  let freedBytes = 0;
  for (const name of await namesIn(root)) {
    const repo = repoOfFolder(name);
    if (repo === undefined) continue;
    const cache = new RepoCache(root, repo);
    for (const lock of await namesIn(cache.locks)) await removeDeadLock(join(cache.locks, lock));
    for (const blob of await namesIn(cache.blobs)) {
      if (!blob.endsWith(PARTIAL_SUFFIX)) continue;
      const hash = blob.slice(0, -PARTIAL_SUFFIX.length);
      if (await exists(cache.lock(hash))) continue;
      freedBytes += await diskUseOf(cache.partial(hash));
      await removePartial(cache.partial(hash));
    }
  }
  return freedBytes;
}

/** Deletes a model from a cache, every revision of it. */
export async function removeModel(root: string, repo: string): Promise<void> {
  const { folder, locks } = new RepoCache(root, repo);
  await rm(folder, { recursive: true, force: true });
  await rm(locks, { recursive: true, force: true });
}

async function removeDeadLock(path: string): Promise<void> {
  if (!path.endsWith(LOCK_SUFFIX)) return;
  const owner = await readFile(path, 'utf8').catch(() => '');
  if (isOwnerDead(owner)) await rm(path, { force: true });
}

async function readRefs(cache: RepoCache): Promise<{ revision: string; commit: string }[]> {
  const paths = await filesIn(cache.refs);
  return Promise.all(
    paths.map(async (path) => ({
      revision: relative(cache.refs, path).replaceAll(sep, '/'),
      commit: (await readFile(path, 'utf8')).trim(),
    })),
  );
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

/** A partial file has holes, which take no room. */
const diskUseOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ blocks }) => blocks * 512,
    () => 0,
  );

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name));
}
