import { expect, test } from 'vitest';
import { runConcurrently } from '../../../pipeline/bounded-concurrency.ts';

const neverAborted = new AbortController().signal;
const soon = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Settles only through its signal. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });

async function* count(until: number) {
  for (let item = 0; item < until; item++) yield item;
}

test('every item is worked on, never more than the limit at once', async () => {
  const done: number[] = [];
  let running = 0;
  let mostRunning = 0;
  const work = async (item: number) => {
    mostRunning = Math.max(mostRunning, ++running);
    for (let turn = 0; turn < (item * 7) % 5; turn++) await soon();
    running -= 1;
    done.push(item);
  };
  await runConcurrently(() => count(50), { limit: 3, work }, neverAborted);
  expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, item) => item));
  expect(mostRunning).toBe(3);
});

test('the source is asked for one item more than can be worked on, not for all', async () => {
  const abort = new AbortController();
  let asked = 0;
  const open = async function* () {
    for (;;) yield asked++;
  };
  const running = runConcurrently(
    open,
    { limit: 2, work: (_, signal) => untilAborted(signal) },
    abort.signal,
  );
  await soon();
  expect(asked).toBe(3);
  abort.abort();
  await expect(running).rejects.toThrow('abort');
});

test('the first failure stops source and work, and is thrown when nothing runs any more', async () => {
  const settled: string[] = [];
  const work = async (item: number, signal: AbortSignal) => {
    if (item === 1) throw new Error('first');
    await untilAborted(signal).finally(() => settled.push(`item ${item}`));
  };
  const open = async function* (signal: AbortSignal) {
    yield* count(2);
    await untilAborted(signal).finally(() => settled.push('source'));
  };
  await expect(runConcurrently(open, { limit: 5, work }, neverAborted)).rejects.toThrow('first');
  expect(settled.toSorted()).toEqual(['item 0', 'source']);
});

test('a failing source stops the work', async () => {
  let isStopped = false;
  const open = async function* () {
    yield 0;
    throw new Error('source');
  };
  const work = async (_: number, signal: AbortSignal) =>
    untilAborted(signal).finally(() => {
      isStopped = true;
    });
  await expect(runConcurrently(open, { limit: 5, work }, neverAborted)).rejects.toThrow('source');
  expect(isStopped).toBe(true);
});

test('an abort is thrown as its reason, whatever the work makes of it', async () => {
  const abort = new AbortController();
  const work = async (_: number, signal: AbortSignal) =>
    untilAborted(signal).catch(() => {
      throw new Error('engine stopped');
    });
  const running = runConcurrently(() => count(9), { limit: 2, work }, abort.signal);
  await soon();
  abort.abort(new Error('drained'));
  await expect(running).rejects.toThrow('drained');
});

test('a signal that was aborted before opens nothing', async () => {
  let isOpened = false;
  const open = () => {
    isOpened = true;
    return count(1);
  };
  const running = runConcurrently(open, { limit: 1, work: async () => {} }, AbortSignal.abort());
  await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  expect(isOpened).toBe(false);
});

test('many works at once do not crowd one signal with listeners', async () => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error) => warnings.push(name);
  process.on('warning', onWarning);
  const abort = new AbortController();
  const work = (_: number, signal: AbortSignal) => untilAborted(signal);
  const running = runConcurrently(() => count(64), { limit: 64, work }, abort.signal);
  await soon();
  abort.abort();
  await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  await soon();
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});
