import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { errorCode } from './disk.ts';
import { isKnownDead, thisProcess } from './process-identity.ts';

const Owner = z.object({ machine: z.string(), pid: z.int(), startMark: z.string() });

export interface LockRules {
  readonly staleMs: number;
  readonly pollMs: number;
  /** Someone else holds the lock. */
  readonly onWait: () => void;
}

/**
 * Runs `work` while no other process that asks for the same lock file does. The lock of a process
 * known to be dead is taken over at once, one without a sign of life for `staleMs` as well: its
 * owner may be on another machine. `work` is told when its own lock was taken in that way, which
 * happens to a process that was frozen.
 */
export async function withFileLock<T>(
  path: string,
  rules: LockRules,
  signal: AbortSignal,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<T> {
  const text = JSON.stringify({ ...thisProcess(), token: randomUUID() });
  await mkdir(dirname(path), { recursive: true });
  await acquire(path, text, { rules, signal });
  const lost = new AbortController();
  const heartbeat = setInterval(async () => {
    const now = new Date();
    if ((await readText(path)) !== text) lost.abort();
    else await utimes(path, now, now).catch(() => undefined);
  }, rules.staleMs / 4);
  heartbeat.unref();
  try {
    return await work(lost.signal);
  } finally {
    clearInterval(heartbeat);
    if ((await readText(path)) === text) await rm(path, { force: true });
  }
}

async function acquire(
  path: string,
  text: string,
  { rules, signal }: { rules: LockRules; signal: AbortSignal },
): Promise<void> {
  let seen = '';
  let seenAtMs = 0;
  while (!(await createWith(path, text))) {
    signal.throwIfAborted();
    const held = await readText(path);
    const alive = await signOfLife(path, held);
    if (alive !== seen) {
      if (seen === '') rules.onWait();
      seen = alive;
      seenAtMs = performance.now(); // our own clock: that of a network volume may differ
    }
    const isStale = performance.now() - seenAtMs > rules.staleMs;
    if (held !== undefined && (isStale || isOwnerDead(held))) await takeAway(path, held);
    else await wait(rules.pollMs * (0.5 + Math.random()), undefined, { signal });
  }
}

async function createWith(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(text).finally(() => file.close());
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

const readText = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch(() => undefined);

const signOfLife = async (path: string, text: string | undefined): Promise<string> => {
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
  return `${mtimeMs} ${text}`;
};

/** An owner that has not written its name yet is not known to be dead. */
export function isOwnerDead(text: string): boolean {
  try {
    const owner = Owner.safeParse(JSON.parse(text));
    return owner.success && isKnownDead(owner.data);
  } catch {
    return false;
  }
}

/**
 * Of several that find the same stale lock one succeeds: renaming is atomic. Should it have caught
 * a newer lock instead, it is put back.
 */
async function takeAway(path: string, staleText: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return; // someone else was quicker
  }
  if ((await readText(aside)) !== staleText) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}
