import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long other work waits at most, beside the longest single step. */
const SLICE_MS = 8;

/** A function for long loops, awaited between their steps: after a slice it lets other work go on. */
export function timeSlices(): () => Promise<void> {
  let startedAt = performance.now();
  return async () => {
    if (performance.now() - startedAt < SLICE_MS) return;
    await nextTurn();
    startedAt = performance.now();
  };
}
