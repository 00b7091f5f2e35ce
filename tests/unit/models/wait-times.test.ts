import { expect, test } from 'vitest';
import { WaitTimeMeter } from '../../../models/engine/wait-times.ts';

test('percentiles are by nearest rank and nothing has waited before the first window', () => {
  const meter = new WaitTimeMeter();
  expect(meter.snapshot()).toEqual({ count: 0, sumMs: 0, maxMs: 0, p50Ms: 0, p95Ms: 0 });
  for (const waitMs of [40, 10, 30, 20]) meter.record(waitMs);
  expect(meter.snapshot()).toEqual({ count: 4, sumMs: 100, maxMs: 40, p50Ms: 20, p95Ms: 40 });
});

test('sum and maximum are of all windows, percentiles of the last 512', () => {
  const meter = new WaitTimeMeter();
  meter.record(1000);
  for (let window = 0; window < 512; window++) meter.record(5);
  expect(meter.snapshot()).toEqual({ count: 513, sumMs: 3560, maxMs: 1000, p50Ms: 5, p95Ms: 5 });
});
