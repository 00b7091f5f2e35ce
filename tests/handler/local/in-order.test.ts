import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runInOrder } from '../../../handler/local/in-order.ts';

test('results come in order, whatever takes longest, and never more run than allowed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      async (delaysMs, limit) => {
        let running = 0;
        let most = 0;
        const delivered: number[][] = [];
        await runInOrder([...delaysMs.entries()], {
          limit,
          work: async ([index, delayMs]) => {
            most = Math.max(most, ++running);
            await sleep(delayMs);
            running--;
            return index;
          },
          deliver: async (result, index) => {
            await sleep(1);
            delivered.push([result, index]);
          },
        });
        expect(delivered).toEqual(delaysMs.map((_, index) => [index, index]));
        expect(most).toBe(Math.min(limit, delaysMs.length));
      },
    ),
    { numRuns: 30 },
  );
});

test('a result does not wait for later ones', async () => {
  const delivered: string[] = [];
  let finishLast = (): void => undefined;
  const last = new Promise<void>((resolve) => {
    finishLast = resolve;
  });
  const done = runInOrder(['first', 'last'], {
    limit: 2,
    work: async (item) => {
      if (item === 'last') await last;
      return item;
    },
    deliver: async (item) => {
      delivered.push(item);
    },
  });
  await sleep(5);
  expect(delivered).toEqual(['first']);
  finishLast();
  await done;
  expect(delivered).toEqual(['first', 'last']);
});
