import { lstat, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { filesIn, namesIn } from './cache-inventory.ts';
import {
  LOCK_SUFFIX,
  NEW_SUFFIX,
  PARTIAL_FOLDER,
  PARTIAL_SUFFIX,
  QUANTIZED_FOLDER,
  QUANTIZER_VERSION,
  RepoCache,
  repoOfFolder,
} from './cache-layout.ts';
import { isOwnerDead } from './file-lock.ts';

/** A link is made and renamed within milliseconds. */
const FORGOTTEN_MS = 3_600_000;

/**
 * Deletes what interrupted downloads and quantizations of ours left behind, and copies in 8 bits that
 * an older version made; never what another program wrote nor what a live process may still be writing.
 * @returns the bytes that are free now
 */
export async function pruneLeftovers(root: string): Promise<number> {
  let freedBytes = await pruneQuantized(join(root, QUANTIZED_FOLDER));
  for (const name of await namesIn(root)) {
    const repo = repoOfFolder(name);
    if (repo === undefined) continue;
    const cache = new RepoCache(root, repo);
    await removeDeadLocks(cache.locks);
    freedBytes += await prunePartials(cache);
    freedBytes += await pruneQuantized(join(cache.folder, QUANTIZED_FOLDER));
    await removeForgottenLinks(cache.folder);
  }
  return freedBytes;
}

async function prunePartials(cache: RepoCache): Promise<number> {
  const locks = new Set(await namesIn(cache.locks));
  let freedBytes = 0;
  for (const name of await namesIn(cache.blobs)) {
    const at = name.indexOf(PARTIAL_SUFFIX); // the file, its record, and records in the making
    if (at === -1 || locks.has(basename(cache.lock(name.slice(0, at))))) continue;
    freedBytes += await remove(join(cache.blobs, name));
  }
  return freedBytes;
}

async function pruneQuantized(folder: string): Promise<number> {
  await removeDeadLocks(folder);
  const names = await namesIn(folder);
  let freedBytes = 0;
  for (const name of names) {
    if (name.includes(LOCK_SUFFIX)) continue;
    const [target = '', ...unfinished] = name.split(PARTIAL_FOLDER);
    if (names.includes(`${target}${LOCK_SUFFIX}`)) continue;
    if (unfinished.length > 0 || isSuperseded(name)) freedBytes += await remove(join(folder, name));
  }
  return freedBytes;
}

function isSuperseded(name: string): boolean {
  const version = /-v(\d+)$/.exec(name)?.[1];
  return version !== undefined && Number(version) < QUANTIZER_VERSION;
}

async function removeForgottenLinks(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (!name.endsWith(NEW_SUFFIX)) continue;
    const path = join(folder, name);
    const { mtimeMs } = await lstat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > FORGOTTEN_MS) await rm(path, { force: true });
  }
}

/** Locks, and what it takes to take one over. */
async function removeDeadLocks(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (!name.includes(LOCK_SUFFIX)) continue;
    const path = join(folder, name);
    const owner = await readFile(path, 'utf8').catch(() => '');
    if (isOwnerDead(owner)) await rm(path, { force: true });
  }
}

async function remove(path: string): Promise<number> {
  const inside = await filesIn(path);
  const sizes = await Promise.all([path, ...inside].map(diskUseOf));
  await rm(path, { recursive: true, force: true });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A partial file has holes, which take no room. */
const diskUseOf = (path: string): Promise<number> =>
  lstat(path).then(
    (stats) => (stats.isFile() ? stats.blocks * 512 : 0),
    () => 0,
  );
