import { readdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { withFileLock } from '../../../models/hub/file-lock.ts';
import { thisProcess } from '../../../models/hub/process-identity.ts';
import { exists, NEVER, temporaryFolder } from './hub-workbench.ts';

const RULES = { staleMs: 200, pollMs: 5, onWait: () => undefined };
const FAR_AWAY = { ...thisProcess(), machine: 'another one' };
/** Linux numbers no process so high. */
const DEAD = { ...thisProcess(), pid: 2 ** 30 };

async function lockHeldBy(owner: object | undefined): Promise<string> {
  const path = join(await temporaryFolder(), 'locks', 'a.stt-lock');
  await withFileLock(path, RULES, NEVER, () => Promise.resolve()); // creates the folder
  if (owner !== undefined) await writeFile(path, JSON.stringify(owner));
  return path;
}

const elapsedMs = async (work: Promise<unknown>): Promise<number> => {
  const startedAtMs = performance.now();
  await work;
  return performance.now() - startedAtMs;
};

describe('a file lock', () => {
  test('lets one in at a time', async () => {
    const path = await lockHeldBy(undefined);
    let inside = 0;
    let most = 0;
    const task = () =>
      withFileLock(path, RULES, NEVER, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await wait(3);
        inside -= 1;
      });
    await Promise.all(Array.from({ length: 9 }, task));
    expect(most).toBe(1);
    expect(await exists(path)).toBe(false);
  });

  test('is released when the work fails', async () => {
    const path = await lockHeldBy(undefined);
    const work = withFileLock(path, RULES, NEVER, () => Promise.reject(new Error('failed')));
    await expect(work).rejects.toThrow('failed');
    expect(await exists(path)).toBe(false);
  });

  test('of a dead process is taken at once, by one of many', async () => {
    // Over and over: a place that is empty for a moment would let a second one in now and then.
    const rules = { ...RULES, staleMs: 60_000, pollMs: 1 };
    const taking = async (): Promise<void> => {
      const path = await lockHeldBy(DEAD);
      let inside = 0;
      const task = () =>
        withFileLock(path, rules, new AbortController().signal, async () => {
          inside += 1;
          expect(inside).toBe(1);
          await wait(1);
          inside -= 1;
        });
      await Promise.all(Array.from({ length: 8 }, task));
      expect(await readdir(dirname(path))).toEqual([]);
    };
    await Promise.all(Array.from({ length: 25 }, taking));
  });

  test('is looked at again after a pause before anything is written', async () => {
    const path = await lockHeldBy(undefined);
    const outcome = withFileLock(path, { ...RULES, staleMs: 4000 }, NEVER, async (lease) => {
      await lease.confirm();
      await writeFile(path, JSON.stringify(FAR_AWAY));
      await lease.confirm(); // not looked at so soon
      const frozen = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 3000);
      onTestFinished(() => frozen.mockRestore());
      return await lease.confirm().catch(() => 'taken');
    });
    expect(await outcome).toBe('taken');
  });

  test('of an earlier process with the number of a living one is taken at once', async () => {
    const path = await lockHeldBy({ ...thisProcess(), startMark: '1' });
    const rules = { ...RULES, staleMs: 60_000 };
    await withFileLock(path, rules, NEVER, () => Promise.resolve());
  });

  test('of another machine is taken when it shows no sign of life, old or not', async () => {
    const path = await lockHeldBy(FAR_AWAY);
    await utimes(path, new Date(0), new Date(0)); // the clocks of two machines may differ
    const waitedMs = await elapsedMs(withFileLock(path, RULES, NEVER, () => Promise.resolve()));
    expect(waitedMs).toBeGreaterThanOrEqual(RULES.staleMs);
  });

  test('of another machine is respected as long as it shows signs of life', async () => {
    const path = await lockHeldBy(FAR_AWAY);
    const signs = setInterval(() => {
      const now = new Date();
      void utimes(path, now, now);
    }, 20);
    const cancel = new AbortController();
    const work = withFileLock(path, RULES, cancel.signal, () => Promise.resolve('in'));
    const outcome = work.catch(() => 'cancelled');
    await wait(3 * RULES.staleMs);
    cancel.abort();
    clearInterval(signs);
    expect(await outcome).toBe('cancelled');
  });

  test('tells its owner when it was taken away, and leaves the new one alone', async () => {
    const path = await lockHeldBy(undefined);
    await withFileLock(path, RULES, NEVER, async ({ lost }) => {
      await writeFile(path, JSON.stringify(FAR_AWAY));
      await expect.poll(() => lost.aborted, { timeout: 10_000 }).toBe(true);
    });
    expect(await exists(path)).toBe(true);
  });
});
