import { expect, test } from 'vitest';
import { JobQueue } from '../../../handler/runpod/job-queue.ts';

/** A queue of one slot whose jobs end when told, and what it reported as held. */
function queueOfOne() {
  const held: (readonly string[])[] = [];
  const queue = new JobQueue({ concurrency: 1, onChange: (ids) => held.push(ids) });
  const add = (id: string) => {
    const finish = new AbortController();
    const run = (): Promise<void> =>
      new Promise((resolve) => finish.signal.addEventListener('abort', () => resolve()));
    return { isAccepted: queue.accept({ id, run }), finish: () => finish.abort() };
  };
  return { queue, held, add };
}

test('jobs are held from their arrival, running or not, and there is no negative room', () => {
  const { queue, held, add } = queueOfOne();
  expect(queue.free).toBe(1);
  add('a');
  add('b');
  expect(add('a').isAccepted).toBe(false);
  expect([queue.size, queue.free]).toEqual([2, 0]);
  expect(held).toEqual([['a'], ['a', 'b']]);
});

test('a waiting job that is stopped is dropped at once, a running one when it has ended', async () => {
  const { queue, held, add } = queueOfOne();
  const { finish } = add('a');
  add('b');
  expect(queue.stop('b', new Error('stopped'))).toBe(true);
  expect(queue.stop('a', new Error('stopped'))).toBe(true);
  expect(queue.stop('c', new Error('stopped'))).toBe(false);
  expect(held.at(-1)).toEqual(['a']);
  finish();
  await queue.drained();
  expect(held.at(-1)).toEqual([]);
});

test('waiting for a release ends with the signal, and at once when nothing is held', async () => {
  const { queue, add } = queueOfOne();
  await queue.released();
  add('a');
  const cancel = new AbortController();
  const released = queue.released(cancel.signal);
  cancel.abort();
  await released;
  expect(queue.size).toBe(1);
});
