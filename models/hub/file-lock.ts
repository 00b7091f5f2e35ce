import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
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

/** A lock that is held, as far as its holder knows. */
export interface Lease {
  /** Aborted once the lock is known to be someone else's, which happens to a process that was frozen. */
  readonly lost: AbortSignal;
  /** To be asked before each write: looks after a pause in which the lock may have been taken. */
  confirm(): Promise<void>;
}

/**
 * Runs `work` while no other process that asks for the same lock file does. The lock of a process
 * known to be dead is taken over at once, one without a sign of life for `staleMs` as well: its
 * owner may be on another machine.
 */
export async function withFileLock<T>(
  path: string,
  rules: LockRules,
  signal: AbortSignal,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const text = JSON.stringify({ ...thisProcess(), token: randomUUID() });
  await mkdir(dirname(path), { recursive: true });
  await acquire(path, text, { rules, signal });
  const lost = new AbortController();
  let confirmedAtMs = performance.now();
  const look = async (): Promise<void> => {
    const now = new Date();
    if ((await readText(path)) !== text) return lost.abort();
    await utimes(path, now, now).catch(() => undefined);
    confirmedAtMs = performance.now();
  };
  const confirm = async (): Promise<void> => {
    if (performance.now() - confirmedAtMs > rules.staleMs / 2) await look();
    lost.signal.throwIfAborted();
  };
  const heartbeat = setInterval(look, rules.staleMs / 4);
  heartbeat.unref();
  try {
    return await work({ lost: lost.signal, confirm });
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
    const mayTake = held !== undefined && (isStale || isOwnerDead(held));
    if (mayTake && (await takeOver(path, held, text))) return;
    await wait(rules.pollMs * (0.5 + Math.random()), undefined, { signal });
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
 * Replaces a stale lock by our own in one step, so that nobody finds the place empty meanwhile. Of
 * several that find it stale one at a time looks again, under a lock that is held for a moment only.
 */
async function takeOver(path: string, staleText: string, text: string): Promise<boolean> {
  const turn = `${path}.turn`;
  if (!(await createWith(turn, text))) {
    if (isOwnerDead((await readText(turn)) ?? '')) await rm(turn, { force: true });
    return false;
  }
  try {
    if ((await readText(path)) !== staleText) return false;
    const own = `${path}.${randomUUID()}`;
    await createWith(own, text);
    await rename(own, path);
    return true;
  } finally {
    await rm(turn, { force: true });
  }
}
