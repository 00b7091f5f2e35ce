import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EngineReporter } from '../../../models/engine/engine-report.ts';
import { SchedulerMeter } from '../../../models/engine/scheduler-stats.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

test('a report is about what was done since the last one, once a minute, and not about nothing', () => {
  const meter = new SchedulerMeter();
  const queue = { tenantCount: 0, lengthOf: () => 3 };
  const reporter = new EngineReporter(() => meter.stats(queue, 8));
  expect(reporter.next()).toBeUndefined();
  meter.countBatch(2, 8);
  meter.recordWait('file', 40.4);
  expect(reporter.next()).toEqual({
    batches: 1,
    windows: 2,
    fill: 0.25,
    batchSize: 8,
    queue: { realtime: 3, file: 3 },
    fileWaitP95Ms: 40,
    liveWaitP95Ms: 0,
  });
  meter.countBatch(8, 8);
  expect(reporter.next()).toBeUndefined();
  vi.advanceTimersByTime(60_000);
  expect(reporter.next()).toMatchObject({ batches: 1, windows: 8, fill: 1 });
  vi.advanceTimersByTime(60_000);
  expect(reporter.next()).toBeUndefined();
});
