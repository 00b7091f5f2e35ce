import { expect, test } from 'vitest';
import { type JobKind, TakeCapacity } from '../../../handler/runpod/take-capacity.ts';

const MANY = Number.POSITIVE_INFINITY;

/** A worker with batches of 8, and jobs that end when they are told to. */
function worker() {
  const waiting = { realtime: 0, file: 0 };
  const capacity = new TakeCapacity(() => ({ batchSize: 8, waiting }));
  const take = (kind: JobKind) => {
    let hear = (): void => {};
    let end = (): void => {};
    const ended = capacity.during(kind, (onHeard) => {
      hear = onHeard;
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    });
    return {
      hear: () => hear(),
      end: () => {
        end();
        return ended;
      },
    };
  };
  return { waiting, capacity, take };
}

test('before there is an engine, and while it idles, one job is asked for', () => {
  expect(new TakeCapacity(() => undefined).room()).toBe(1);
  expect(worker().capacity.room()).toBe(1);
});

test('of long recordings one is at work and one comes in', async () => {
  const { waiting, capacity, take } = worker();
  const first = take('recording');
  expect(capacity.room()).toBe(1); // in case it is a live window
  const second = take('recording');
  expect(capacity.room()).toBe(0);
  first.hear();
  waiting.file = 8;
  expect(capacity.room()).toBe(0);
  await first.end();
  second.hear();
  expect(capacity.room()).toBe(1); // the second is at work now
  take('recording');
  expect(capacity.room()).toBe(0);
  waiting.file = 3;
  expect(capacity.room()).toBe(0); // the third has not been heard yet
});

test('short recordings come until their windows fill a batch', () => {
  const { waiting, capacity, take } = worker();
  for (let job = 0; job < 7; job++) {
    expect(capacity.room()).toBe(1);
    take('recording').hear();
    waiting.file += 1;
  }
  waiting.file += 1;
  expect(capacity.room()).toBe(1);
  take('recording');
  expect(capacity.room()).toBe(0);
});

test('live windows are taken while recordings wait, as many as there are', async () => {
  const { waiting, capacity, take } = worker();
  take('recording').hear();
  waiting.file = 40;
  const live = take('window');
  expect(capacity.room()).toBe(MANY);
  take('window');
  expect(capacity.room()).toBe(MANY);
  await live.end();
  take('recording');
  expect(capacity.room()).toBe(0);
});

test('live windows that wait themselves are work enough', () => {
  const { waiting, capacity } = worker();
  waiting.realtime = 16;
  expect(capacity.room()).toBe(0);
});

test('a job that fails is no longer counted', async () => {
  const { capacity } = worker();
  const failing = capacity.during('recording', () => Promise.reject(new Error('bad')));
  expect(capacity.room()).toBe(1);
  void capacity.during('recording', () => new Promise(() => {}));
  expect(capacity.room()).toBe(0);
  await expect(failing).rejects.toThrow('bad');
  expect(capacity.room()).toBe(1);
});
