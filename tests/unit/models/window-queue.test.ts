import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  MAX_BEHIND_REALTIME,
  MAX_PASSED_OVER,
  type WaitingWindow,
  WindowQueue,
} from '../../../models/engine/window-queue.ts';
import type { Scheduling } from '../../../pipeline/contracts.ts';

const arbitraryWindow = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  priority: fc.constantFrom('realtime' as const, 'file' as const),
  tenant: fc.constantFrom(null, 'x', 'y', 'z'),
});
type Made = Pick<WaitingWindow, 'key'> & Pick<Scheduling, 'priority' | 'tenant'>;

const windowOf = ({ key, priority, tenant }: Made, arrival: number): WaitingWindow => ({
  key,
  arrival,
  scheduling: { priority, tenant },
});
const file = (tenant: string | null, arrival: number, key = 'a'): WaitingWindow =>
  windowOf({ key, priority: 'file', tenant }, arrival);
const arrivalsOf = (batch: readonly WaitingWindow[]): number[] =>
  batch.map(({ arrival }) => arrival);

/** All batches until the queue is empty. */
function drained(queue: WindowQueue<WaitingWindow>, maxRows: number): WaitingWindow[][] {
  const batches: WaitingWindow[][] = [];
  while (queue.length > 0) batches.push(queue.take(() => maxRows));
  return batches;
}

function queueOf(windows: readonly WaitingWindow[]): WindowQueue<WaitingWindow> {
  const queue = new WindowQueue<WaitingWindow>();
  for (const window of windows) queue.add(window);
  return queue;
}

test('every window is taken once, in batches of one key and of at most the size asked for', () => {
  fc.assert(
    fc.property(fc.array(arbitraryWindow), fc.integer({ min: 1, max: 8 }), (made, maxRows) => {
      const windows = made.map(windowOf);
      const batches = drained(queueOf(windows), maxRows);
      expect(arrivalsOf(batches.flat()).toSorted((a, b) => a - b)).toEqual(arrivalsOf(windows));
      for (const batch of batches) {
        expect(batch.length).toBeLessThanOrEqual(maxRows);
        expect(new Set(batch.map(({ key }) => key)).size).toBe(1);
      }
    }),
  );
});

test('a batch is as full as the waiting windows of its key allow', () => {
  fc.assert(
    fc.property(fc.array(arbitraryWindow), fc.integer({ min: 1, max: 8 }), (made, maxRows) => {
      const waiting = new Set(made.map(windowOf));
      const queue = queueOf([...waiting]);
      while (queue.length > 0) {
        const batch = queue.take(() => maxRows);
        const candidates = [...waiting].filter(({ key }) => key === batch[0]!.key);
        expect(batch).toHaveLength(Math.min(maxRows, candidates.length));
        for (const window of batch) waiting.delete(window);
      }
    }),
  );
});

test('windows of one tenant, priority and key are taken by arrival', () => {
  fc.assert(
    fc.property(fc.array(arbitraryWindow), fc.integer({ min: 1, max: 8 }), (made, maxRows) => {
      const lastOf = new Map<string, number>();
      for (const window of drained(queueOf(made.map(windowOf)), maxRows).flat()) {
        const { key, scheduling, arrival } = window;
        const line = JSON.stringify([key, scheduling]);
        expect(arrival).toBeGreaterThan(lastOf.get(line) ?? -1);
        lastOf.set(line, arrival);
      }
    }),
  );
});

const arbitraryArrivals = fc.array(fc.array(arbitraryWindow, { maxLength: 6 }), { maxLength: 80 });
const withoutLive = (rounds: readonly (readonly Made[])[]): Made[][] =>
  rounds.map((made) => made.map((one) => ({ ...one, priority: 'file' as const })));

test.each([
  ['and live windows of any key among it', MAX_BEHIND_REALTIME, (rounds: Made[][]) => rounds],
  ['of files alone', MAX_PASSED_OVER, withoutLive],
] as const)(
  'whatever keeps arriving, %s, a window with n older ones runs within %i + 1 batches for each',
  (_, passedOver, ofRounds) => {
    fc.assert(
      fc.property(arbitraryArrivals, fc.integer({ min: 1, max: 4 }), (all, maxRows) => {
        const rounds = ofRounds(all);
        const queue = new WindowQueue<WaitingWindow>();
        const dueBefore = new Map<WaitingWindow, number>();
        let arrival = 0;
        for (let batchNumber = 0; batchNumber < rounds.length || queue.length > 0; batchNumber++) {
          for (const made of rounds[batchNumber] ?? []) {
            const window = windowOf(made, arrival++);
            const older = queue.length;
            dueBefore.set(window, batchNumber + (passedOver + 1) * (older + 1));
            queue.add(window);
          }
          for (const window of queue.take(() => maxRows)) {
            expect(batchNumber).toBeLessThan(dueBefore.get(window)!);
          }
        }
      }),
    );
  },
);

test('a live window is in the next batch, however long files of another key have waited', () => {
  const made = fc.array(
    fc.record({ key: fc.constantFrom('b', 'c'), tenant: fc.constantFrom(null, 'x', 'y', 'z') }),
    { minLength: 30, maxLength: 60 },
  );
  fc.assert(
    fc.property(
      made,
      fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 10 }),
      (files, gaps) => {
        const windows = files.map((one, arrival) =>
          windowOf({ ...one, priority: 'file' }, arrival),
        );
        const queue = queueOf(windows);
        let arrival = windows.length;
        for (const gap of gaps) {
          // Files of four tenants pass each other over; then someone speaks.
          for (let batch = 0; batch < gap; batch++) queue.take(() => 2);
          const live = windowOf({ key: 'a', priority: 'realtime', tenant: 'live' }, arrival++);
          queue.add(live);
          if (queue.length === 1) break;
          if (gap === 0) queue.take(() => 2);
          else expect(queue.take(() => 2)).toContain(live);
        }
      },
    ),
  );
});

test('an old file that live windows may join takes them along; one that they may not waits longer', () => {
  const joining = (arrival: number): WaitingWindow => ({
    ...windowOf({ key: 'short', priority: 'realtime', tenant: null }, arrival),
    joins: 'full',
  });
  const batchesUntil = (old: WaitingWindow): number[][] => {
    const queue = queueOf([old]);
    const batches: number[][] = [];
    for (let arrival = 1; !batches.flat().includes(old.arrival); arrival++) {
      queue.add(joining(arrival));
      batches.push(arrivalsOf(queue.take(() => 4)));
    }
    return batches;
  };
  expect(batchesUntil(file(null, 0, 'full'))).toEqual([[1], [2], [3], [4], [0, 5]]);
  expect(batchesUntil(file(null, 0, 'other'))).toHaveLength(MAX_BEHIND_REALTIME + 1);
});

test('live windows of two keys run together where one may run as the other', () => {
  const short = {
    ...windowOf({ key: 'short', priority: 'realtime', tenant: null }, 0),
    joins: 'full',
  };
  const full = windowOf({ key: 'full', priority: 'realtime', tenant: null }, 1);
  expect(drained(queueOf([short, full]), 4).map(arrivalsOf)).toEqual([[0, 1]]);
  expect(drained(queueOf([short, file(null, 1, 'full')]), 4).map(arrivalsOf)).toEqual([[0], [1]]);
});

test('how many windows a batch may have is asked for the one that heads it', () => {
  const queue = queueOf([file('x', 0, 'beam'), file('x', 1, 'beam'), file('x', 2), file('x', 3)]);
  const maxRowsOf = ({ key }: WaitingWindow): number => (key === 'beam' ? 1 : 8);
  const batches = [1, 2, 3].map(() => arrivalsOf(queue.take(maxRowsOf)));
  expect(batches).toEqual([[0], [1], [2, 3]]);
});

test('tenants that always have work get the same number of windows, up to one batch', () => {
  const sizes = fc.integer({ min: 1, max: 8 });
  const tenantCounts = fc.integer({ min: 1, max: 5 });
  fc.assert(
    fc.property(
      sizes,
      tenantCounts,
      fc.integer({ min: 1, max: 30 }),
      (maxRows, tenants, batches) => {
        const queue = new WindowQueue<WaitingWindow>();
        let arrival = 0;
        // The first tenant has sent all its windows before the second one sends its first.
        for (let tenant = 0; tenant < tenants; tenant++) {
          for (let window = 0; window < 300; window++) queue.add(file(`t${tenant}`, arrival++));
        }
        const served = new Map(Array.from({ length: tenants }, (_, tenant) => [`t${tenant}`, 0]));
        for (let batch = 0; batch < batches; batch++) {
          for (const { scheduling } of queue.take(() => maxRows)) {
            served.set(scheduling.tenant!, served.get(scheduling.tenant!)! + 1);
          }
        }
        const counts = [...served.values()];
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(Math.max(maxRows, 2));
      },
    ),
  );
});

test('realtime goes first and files fill the places that are left', () => {
  const queue = queueOf([file('x', 0), file('x', 1), file('x', 2, 'b')]);
  queue.add(windowOf({ key: 'a', priority: 'realtime', tenant: 'y' }, 3));
  queue.add(windowOf({ key: 'b', priority: 'realtime', tenant: 'y' }, 4));
  expect(drained(queue, 2).map(arrivalsOf)).toEqual([[3, 0], [4, 2], [1]]);
});

test('a tenant that comes late is level with the others at once, and has no claim to the past', () => {
  const queue = queueOf(Array.from({ length: 20 }, (_, arrival) => file('early', arrival)));
  expect(arrivalsOf(queue.take(() => 8))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  for (let arrival = 20; arrival < 30; arrival++) queue.add(file('late', arrival));
  const tenants = queue.take(() => 8).map(({ scheduling }) => scheduling.tenant);
  expect(tenants.filter((tenant) => tenant === 'late')).toHaveLength(4);
});

test('a window that is removed, or comes back, leaves the order of the others alone', () => {
  const windows = [0, 1, 2, 3].map((arrival) => file(null, arrival));
  const queue = queueOf(windows);
  expect(arrivalsOf(queue.take(() => 2))).toEqual([0, 1]);
  queue.remove(windows[2]!);
  queue.remove(windows[2]!);
  queue.add(windows[0]!);
  expect(queue.tenantCount).toBe(1);
  expect(arrivalsOf(queue.take(() => 4))).toEqual([0, 3]);
  expect(queue.tenantCount).toBe(0);
  expect(queue.take(() => 4)).toEqual([]);
});
