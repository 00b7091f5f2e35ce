import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import { WindowScheduler } from '../../../models/engine/window-scheduler.ts';
import { answers, FILE, harness, LIVE, never, outOfMemory } from './scheduler-harness.ts';

test('out of memory halves the batches for good and loses no window', async () => {
  const { scheduler, submitAll, batches, troubles } = harness({
    batchSize: 8,
    fail: (items) => (items.length > 2 ? outOfMemory() : undefined),
  });
  const items = ['a1', 'a2', 'a3', 'a4', 'a5'];
  expect(answers(await submitAll(items))).toEqual(['A1', 'A2', 'A3', 'A4', 'A5']);
  expect(batches).toEqual([items, items.slice(0, 4), ['a1', 'a2'], ['a3', 'a4'], ['a5']]);
  expect(troubles).toEqual([
    { kind: 'batch-size-reduced', shape: '', rows: 5, batchSize: 4 },
    { kind: 'batch-size-reduced', shape: '', rows: 4, batchSize: 2 },
  ]);
  expect(scheduler.stats()).toMatchObject({ batchSize: 2, outOfMemory: 2, retriedBatches: 0 });
});

test('memory that one shape has used up says nothing about another', async () => {
  const { scheduler, submitAll, batches, troubles } = harness({
    batchSize: 4,
    fail: (items) => (items[0]!.startsWith('b') && items.length > 1 ? outOfMemory() : undefined),
    shapeOf: (item) => (item.startsWith('b') ? 'beam 8' : ''),
  });
  const beams = ['b1', 'b2', 'b3'];
  expect(answers(await submitAll(beams))).toEqual(['B1', 'B2', 'B3']);
  expect([scheduler.batchSizeOf('beam 8'), scheduler.batchSizeOf()]).toEqual([1, 4]);
  expect(troubles.map((trouble) => 'shape' in trouble && trouble.shape)).toEqual([
    'beam 8',
    'beam 8',
  ]);
  const before = batches.length;
  await submitAll(['a1', 'a2', 'a3', 'a4']);
  await submitAll(beams);
  expect(batches.slice(before)).toEqual([['a1', 'a2', 'a3', 'a4'], ['b1'], ['b2'], ['b3']]);
  expect(scheduler.stats().batchSize).toBe(4);
});

test('where room can be made, a batch that did not fit runs again as it is', async () => {
  let rooms = 1;
  const { scheduler, submitAll, batches, troubles } = harness({
    batchSize: 4,
    fail: (items) => (rooms > 0 || items.length > 2 ? outOfMemory() : undefined),
    makeRoom: () => Promise.resolve(rooms-- > 0),
  });
  expect(answers(await submitAll(['a1', 'a2', 'a3']))).toEqual(['A1', 'A2', 'A3']);
  expect(batches.map(({ length }) => length)).toEqual([3, 3, 2, 1]);
  expect(troubles).toMatchObject([{ rows: 3, batchSize: 2 }]);
  expect(scheduler.stats().outOfMemory).toBe(2);
});

test('a turn that is not to be had is the answer of those that wait for it', async () => {
  let isDead = true;
  const { submitAll, batches } = harness({
    batchSize: 4,
    ready: () => (isDead ? Promise.reject(new SttError('ENGINE_CRASHED', 'x')) : Promise.resolve()),
  });
  const settled = await submitAll(['a1', 'a2']);
  expect(settled[0]).toMatchObject({ reason: { code: 'ENGINE_CRASHED' } });
  expect(batches).toEqual([]);
  isDead = false;
  expect(answers(await submitAll(['a3']))).toEqual(['A3']);
});

test('a turn ends with its batch, whatever became of it, and knows how urgent its windows are', async () => {
  const events: string[] = [];
  const scheduler = new WindowScheduler<string, string>({
    batchSize: 1,
    keyOf: () => '',
    turn: async (priority) => {
      await wait(2);
      events.push(`turn ${priority()}`);
      return { end: () => events.push('end') };
    },
    run: async ([item]) => {
      events.push(item!);
      if (item === 'bad') throw new Error('bad');
      return [item!];
    },
    onTrouble: undefined,
  });
  const file = scheduler.submit('bad', FILE, never);
  await wait(1);
  await Promise.allSettled([file, scheduler.submit('live', LIVE, never)]);
  await wait(1);
  expect(events).toEqual(['turn realtime', 'live', 'end', 'turn file', 'bad', 'end']);
});

test('a row that does not even fit alone fails alone, with the reason', async () => {
  const { submitAll } = harness({
    batchSize: 4,
    fail: (items) => (items.includes('a!') ? outOfMemory() : undefined),
  });
  const settled = await submitAll(['a1', 'a!', 'a2']);
  expect(answers(settled)).toEqual(['A1', 'failed', 'A2']);
  expect(settled[1]).toMatchObject({ reason: { code: 'GPU_OUT_OF_MEMORY' } });
});

test('a bad row fails alone, once more tried, and its neighbours get their answers', async () => {
  const { scheduler, submitAll, batches, troubles } = harness({
    batchSize: 4,
    fail: (items) => (items.includes('a!') ? new TypeError('of this row') : undefined),
  });
  const settled = await submitAll(['a1', 'a!', 'a2']);
  expect(answers(settled)).toEqual(['A1', 'failed', 'A2']);
  expect(settled[1]).toMatchObject({ reason: { code: 'INTERNAL', cause: expect.any(TypeError) } });
  expect(batches).toEqual([['a1', 'a!', 'a2'], ['a1'], ['a!'], ['a2']]);
  expect(troubles).toMatchObject([{ kind: 'batch-retried', rows: 3, error: { code: 'INTERNAL' } }]);
  expect(scheduler.stats()).toMatchObject({ batchSize: 4, retriedBatches: 1 });
});

test('a realtime window goes before the retries of a failed batch', async () => {
  const { submit, submitAll, batches } = harness({
    batchSize: 4,
    fail: (items) => (items.length > 1 ? new Error('together only') : undefined),
  });
  const file = submitAll(['a1', 'a2']);
  await wait(1);
  await Promise.all([file, submit('b-live', LIVE)]);
  expect(batches).toEqual([['a1', 'a2'], ['b-live'], ['a1'], ['a2']]);
});

test('a dead engine is everyone’s answer and nothing is tried again', async () => {
  const { submitAll, batches } = harness({
    batchSize: 4,
    fail: () => new SttError('ENGINE_CRASHED', 'The engine thread ended unexpectedly'),
  });
  expect(answers(await submitAll(['a1', 'a2']))).toEqual(['failed', 'failed']);
  expect(batches).toHaveLength(1);
});

test('a request that is aborted during a failing batch is not tried again', async () => {
  const { submit, batches } = harness({
    batchSize: 2,
    fail: (items) => (items.length > 1 ? outOfMemory() : undefined),
  });
  const cancelled = new AbortController();
  const [first, second] = [submit('a1', FILE, cancelled.signal), submit('a2')];
  await wait(2);
  cancelled.abort();
  await expect(first).rejects.toThrow('abort');
  expect(await second).toBe('A2');
  expect(batches).toEqual([['a1', 'a2'], ['a2']]);
});
