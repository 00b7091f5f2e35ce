import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { SttError } from '../../core/errors.ts';
import { RepoCache } from './cache-layout.ts';
import type { Snapshot } from './download-snapshot.ts';
import { assertComplete, type ModelNeeds } from './needs.ts';
import type { CachePlace } from './options.ts';
import { isCommit, type RepoReference } from './reference.ts';

export type Finding =
  | ({ readonly kind: 'complete' } & Snapshot)
  | { readonly kind: 'incomplete'; readonly missing: readonly string[] }
  | { readonly kind: 'absent' };

/** Looks for a revision of a model in one cache, whoever wrote it. */
export async function findCached(
  { source, root }: CachePlace,
  { repo, revision }: RepoReference,
  needs: ModelNeeds,
): Promise<Finding> {
  const cache = new RepoCache(root, repo);
  const commit =
    (await commitOf(cache, revision)) ??
    // RunPod keeps one revision of a model: without refs/ its snapshot is still the one that is meant.
    (source === 'runpod-cache' && revision === 'main' ? await firstSnapshot(cache) : undefined);
  if (commit === undefined) return { kind: 'absent' };
  const folder = await realpath(cache.snapshot(commit)).catch(() => undefined);
  if (folder === undefined) return { kind: 'absent' };
  const { missing } = await neededFiles(folder, needs);
  return missing.length === 0
    ? { kind: 'complete', folder, commit }
    : { kind: 'incomplete', missing };
}

/**
 * A model in a folder that the user named.
 * @throws {SttError} MODEL_NOT_FOUND naming what is missing, MODEL_INVALID what is there instead.
 */
export async function findFolder(path: string, needs: ModelNeeds): Promise<string> {
  const folder = await realpath(path).catch((error: unknown) => {
    throw new SttError('MODEL_NOT_FOUND', 'The model folder does not exist', { cause: error });
  });
  assertComplete(await neededFiles(folder, needs), 'The model folder');
  return folder;
}

async function commitOf(cache: RepoCache, revision: string): Promise<string | undefined> {
  if (isCommit(revision)) return revision;
  const text = await readFile(cache.ref(revision), 'utf8').catch(() => '');
  return isCommit(text.trim()) ? text.trim() : undefined;
}

async function firstSnapshot(cache: RepoCache): Promise<string | undefined> {
  const names = await readdir(cache.snapshots).catch(() => []);
  return names.filter(isCommit).sort()[0];
}

async function neededFiles(folder: string, needs: ModelNeeds): ReturnType<ModelNeeds> {
  const paths = await filesIn(folder);
  const view = { paths, readText: (path: string) => readFile(join(folder, path), 'utf8') };
  return await needs(view);
}

/** Links count if they lead to a file: through two hops where Python shares blobs between models. */
async function filesIn(folder: string): Promise<Set<string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = await Promise.all(
    entries.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      const found = await stat(path).catch(() => undefined);
      return found?.isFile() ? [relative(folder, path).replaceAll(sep, '/')] : [];
    }),
  );
  return new Set(paths.flat());
}
