import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WindowScheduler } from '../../../models/engine/window-scheduler.ts';
import type { Scheduling } from '../../../pipeline/contracts.ts';
import { answers, FILE, harness, LIVE, moment, outOfMemory } from './scheduler-harness.ts';

test('requests of one turn share batches of at most the maximum, in order', async () => {
  const { submitAll, batches } = harness({ batchSize: 2 });
  expect(answers(await submitAll(['a1', 'a2', 'a3']))).toEqual(['A1', 'A2', 'A3']);
  expect(batches).toEqual([['a1', 'a2'], ['a3']]);
});

test('what arrives during a run, or right after its answer, makes the next batch', async () => {
  const { come, hasCome } = moment();
  const { submit, batches } = harness({ batchSize: 8, runsUntil: hasCome });
  const first = submit('a1').then(() => submit('a4'));
  await expect.poll(() => batches.length).toBe(1);
  const during = [submit('a2'), submit('a3')];
  come();
  await Promise.all([first, ...during]);
  expect(batches).toEqual([['a1'], ['a2', 'a3', 'a4']]);
});

test('a realtime window submitted during the batches of a long file waits for one batch', async () => {
  const { submit, batches } = harness({ batchSize: 2 });
  const file = Array.from({ length: 40 }, (_, index) => submit(`a${index}`));
  for (let round = 0; round < 5; round++) {
    await wait(7);
    const begun = batches.length;
    await submit(round % 2 ? 'a-live' : 'b-live', LIVE);
    const at = batches.findIndex((batch, index) => index >= begun && batch[0]!.endsWith('live'));
    expect(at).toBe(begun);
  }
  await Promise.all(file);
});

test('an aborted request leaves the queue at once, a running one is answered with the abort', async () => {
  const { come, hasCome } = moment();
  const { scheduler, submit, batches } = harness({ batchSize: 1, runsUntil: hasCome });
  const [running, queued] = [new AbortController(), new AbortController()];
  const first = submit('a1', FILE, running.signal);
  await expect.poll(() => batches.length).toBe(1);
  const second = submit('a2', FILE, queued.signal);
  expect(scheduler.queueLength).toBe(1);
  queued.abort();
  running.abort();
  expect(scheduler.queueLength).toBe(0);
  await expect(second).rejects.toThrow('abort');
  await expect(first).rejects.toThrow('abort');
  come();
  await wait(20);
  expect(batches).toEqual([['a1']]);
  await expect(submit('a3', FILE, AbortSignal.abort())).rejects.toThrow('abort');
});

test('a newer window takes the place of the one it replaces, never of another tenant’s', async () => {
  const { scheduler, submit, batches } = harness({ batchSize: 1 });
  const live = (tenant: string): Scheduling => ({ priority: 'realtime', tenant, replaces: 's1' });
  const running = submit('a0', live('x'));
  await wait(1);
  const [old, other, second] = [
    submit('a1', live('x')),
    submit('a2', live('y')),
    submit('a3', LIVE),
  ];
  const newer = submit('a4', live('x'));
  await expect(old).rejects.toMatchObject({ code: 'JOB_CANCELLED' });
  expect(await Promise.all([running, newer, other, second])).toEqual(['A0', 'A4', 'A2', 'A3']);
  expect(batches).toEqual([['a0'], ['a4'], ['a2'], ['a3']]);
  expect(scheduler.stats().replaced).toBe(1);
});

test('the statistics say how full the batches were, how long windows waited and who waits', async () => {
  const { come, hasCome } = moment();
  const { scheduler, batches, submit, submitAll } = harness({ batchSize: 4, runsUntil: hasCome });
  expect(scheduler.stats()).toMatchObject({ batches: 0, fill: 0, waits: { file: { count: 0 } } });
  const file = submitAll(['a1', 'a2', 'a3'], { priority: 'file', tenant: 'x' });
  await expect.poll(() => batches.length).toBe(1);
  const live = submit('a4', { priority: 'realtime', tenant: 'y' });
  expect(scheduler.stats()).toMatchObject({ queueLength: { realtime: 1, file: 0 }, tenants: 1 });
  await wait(15);
  come();
  await Promise.all([file, live]);
  const stats = scheduler.stats();
  expect(stats).toMatchObject({ batches: 2, rows: 4, places: 8, fill: 0.5, batchSize: 4 });
  expect(stats).toMatchObject({ queueLength: { realtime: 0, file: 0 }, tenants: 0 });
  expect(stats.waits.file.count).toBe(3);
  expect(stats.waits.realtime).toMatchObject({ count: 1 });
  expect(stats.waits.realtime.p95Ms).toBeGreaterThan(10);
});

test('whatever fails, is cancelled or replaced, everyone gets exactly their own answer', async () => {
  const arbitraryWindow = fc.record({
    key: fc.constantFrom('a', 'b'),
    priority: fc.constantFrom('realtime' as const, 'file' as const),
    tenant: fc.constantFrom(null, 'x', 'y'),
    replaces: fc.constantFrom(undefined, 's1', 's2'),
    isBad: fc.boolean(),
    /** Turns after which it is submitted, and after which it is aborted. */
    submitAfter: fc.integer({ min: 0, max: 8 }),
    abortAfter: fc.option(fc.integer({ min: 0, max: 8 })),
  });
  const windows = fc.array(arbitraryWindow, { maxLength: 25 });
  const sizes = fc.integer({ min: 1, max: 8 });
  await fc.assert(
    fc.asyncProperty(windows, sizes, sizes, async (made, batchSize, sizeThatFits) => {
      let running = 0;
      const scheduler = new WindowScheduler<(typeof made)[number], number>({
        batchSize,
        keyOf: ({ key }) => key,
        run: async (items) => {
          expect(++running).toBe(1);
          await nextTurn();
          running -= 1;
          if (items.length > sizeThatFits) throw outOfMemory();
          if (items.some(({ isBad }) => isBad)) throw new Error('a bad row');
          return items.map((item) => made.indexOf(item));
        },
        onTrouble: undefined,
      });
      const answer = async (window: (typeof made)[number]): Promise<string> => {
        const { priority, tenant, replaces, submitAfter, abortAfter } = window;
        for (let turn = 0; turn < submitAfter; turn++) await nextTurn();
        const cancelled = new AbortController();
        const scheduling = { priority, tenant, ...(replaces && { replaces }) };
        const result = scheduler.submit(window, scheduling, cancelled.signal);
        void (async () => {
          if (abortAfter === null) return;
          for (let turn = 0; turn < abortAfter; turn++) await nextTurn();
          cancelled.abort();
        })();
        return result.then(String, (error: { code?: string; name: string }) =>
          cancelled.signal.aborted ? 'aborted' : (error.code ?? error.name),
        );
      };
      const settled = await Promise.all(made.map(answer));
      for (const [index, window] of made.entries()) {
        const allowed = [window.isBad ? 'INTERNAL' : String(index)];
        if (window.abortAfter !== null) allowed.push('aborted');
        if (window.replaces) allowed.push('JOB_CANCELLED');
        expect(allowed).toContain(settled[index]);
      }
      expect(scheduler.queueLength).toBe(0);
      const { fill, tenants, batchSize: last } = scheduler.stats();
      expect(fill).toBeLessThanOrEqual(1);
      expect(tenants).toBe(0);
      expect(last).toBeLessThanOrEqual(batchSize);
    }),
    { numRuns: 60 },
  );
});

test('A batch is chosen when it can start, so that windows that come until then share it', async () => {
  let start = (): void => undefined;
  const ready = () => new Promise<void>((resolve) => (start = resolve));
  const { batches, submit } = harness({ batchSize: 8, ready });
  const first = submit('a1');
  await wait(5);
  const second = submit('a2');
  start();
  expect(await Promise.all([first, second])).toEqual(['A1', 'A2']);
  expect(batches).toEqual([['a1', 'a2']]);
});

test('A window that is aborted before its batch can start leaves no batch behind', async () => {
  let start = (): void => undefined;
  const ready = () => new Promise<void>((resolve) => (start = resolve));
  const { batches, submit } = harness({ batchSize: 8, ready });
  const controller = new AbortController();
  const aborted = submit('a1', FILE, controller.signal);
  await wait(5);
  controller.abort(new Error('no longer wanted'));
  await expect(aborted).rejects.toThrow('no longer wanted');
  start();
  await wait(5);
  expect(batches).toEqual([]);
});
