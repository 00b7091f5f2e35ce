import { readdir, readFile, readlink, realpath, rm, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import {
  LOCK_SUFFIX,
  PARTIAL_FOLDER,
  QUANTIZED_FOLDER,
  RepoCache,
  repoOfFolder,
} from './cache-layout.ts';
import { matchesHash } from './checksum.ts';
import { errorCode } from './disk.ts';

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
  const complete = names.filter(
    (name) => !name.includes(PARTIAL_FOLDER) && !name.includes(LOCK_SUFFIX),
  );
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
 * A file that is no link has no such name: `unknown`. Only other content, or none, is damage.
 * @throws what else keeps a file from being read, and the signal's reason: it says nothing about it.
 */
export async function* verifySnapshot(
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<{ readonly file: string; readonly verdict: Verdict }> {
  for (const path of await filesIn(folder)) {
    signal.throwIfAborted();
    const file = relative(folder, path).replaceAll(sep, '/');
    // The first hop is named by the Hub's hash; where Python shares blobs, the second is not.
    const hash = basename(await readlink(path).catch(() => ''));
    if (!isHash(hash)) yield { file, verdict: 'unknown' };
    else yield { file, verdict: (await isIntact(path, hash, signal)) ? 'intact' : 'damaged' };
  }
}

async function isIntact(path: string, hash: string, signal: AbortSignal): Promise<boolean> {
  try {
    return await matchesHash(path, hash, signal);
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return false; // a link that leads nowhere
    throw thrown;
  }
}

/** Deletes a damaged file's content, so that the next use fetches it again. */
export async function removeDamaged(folder: string, file: string): Promise<void> {
  const path = join(folder, file);
  const content = await realpath(path).catch(() => undefined);
  await rm(path, { force: true });
  if (content !== undefined) await rm(content, { force: true });
}

/** Deletes a model from a cache, every revision of it. */
export async function removeModel(root: string, repo: string): Promise<void> {
  const { folder, locks } = new RepoCache(root, repo);
  await rm(folder, { recursive: true, force: true });
  await rm(locks, { recursive: true, force: true });
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

export const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name));
}
