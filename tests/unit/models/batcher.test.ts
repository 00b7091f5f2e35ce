import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Batcher } from '../../../models/engine/batcher.ts';

const never = new AbortController().signal;

function recordingBatcher(maxBatch: number, delayMs = 5) {
  const batches: string[][] = [];
  const batcher = new Batcher<string, string>({
    maxBatch,
    keyOf: (item) => item[0]!,
    run: async (items) => {
      batches.push([...items]);
      await wait(delayMs);
      if (items.includes('a!')) throw new Error('this batch fails');
      return items.map((item) => item.toUpperCase());
    },
  });
  return { batcher, batches };
}

test('requests of one turn share batches of at most the maximum, in order', async () => {
  const { batcher, batches } = recordingBatcher(2);
  const results = await Promise.all(['a1', 'a2', 'a3'].map((item) => batcher.submit(item, never)));
  expect(results).toEqual(['A1', 'A2', 'A3']);
  expect(batches).toEqual([['a1', 'a2'], ['a3']]);
});

test('requests that cannot share a run wait for a run of their own', async () => {
  const { batcher, batches } = recordingBatcher(8);
  await Promise.all(['a1', 'b1', 'a2'].map((item) => batcher.submit(item, never)));
  expect(batches).toEqual([['a1', 'a2'], ['b1']]);
});

test('what arrives during a run makes the next batch', async () => {
  const { batcher, batches } = recordingBatcher(8, 30);
  const first = batcher.submit('a1', never);
  await wait(10);
  await Promise.all([first, ...['a2', 'a3'].map((item) => batcher.submit(item, never))]);
  expect(batches).toEqual([['a1'], ['a2', 'a3']]);
});

test('a failed run fails its own requests only', async () => {
  const { batcher } = recordingBatcher(8);
  const [failed, fine] = await Promise.allSettled(
    ['a!', 'b1'].map((item) => batcher.submit(item, never)),
  );
  expect(failed?.status).toBe('rejected');
  expect(fine).toEqual({ status: 'fulfilled', value: 'B1' });
});

test('an aborted request leaves the queue, a running one is answered with the abort', async () => {
  const { batcher, batches } = recordingBatcher(1, 30);
  const [running, queued] = [new AbortController(), new AbortController()];
  const first = batcher.submit('a1', running.signal);
  await wait(10);
  const second = batcher.submit('a2', queued.signal);
  expect(batcher.queueLength).toBe(1);
  queued.abort();
  running.abort();
  await expect(second).rejects.toThrow('abort');
  await expect(first).rejects.toThrow('abort');
  expect(batcher.queueLength).toBe(0);
  await wait(40);
  expect(batches).toEqual([['a1']]);
  await expect(batcher.submit('a3', AbortSignal.abort())).rejects.toThrow('abort');
});
