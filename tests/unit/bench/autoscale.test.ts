import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Arrival, type Pool, simulatePool } from '../../../bench/autoscale-simulation.ts';
import { officeTrace } from '../../../bench/autoscale-trace.ts';
import {
  ASSUMED_TIMES,
  costOf,
  readServiceTimes,
  writeServiceTimes,
} from '../../../bench/service-times.ts';

const POOL: Pool = {
  minWorkers: 0,
  maxWorkers: 3,
  idleTimeoutSec: 5,
  scaler: { type: 'REQUEST_COUNT', value: 1 },
  coldStartSec: 10,
  concurrency: 1,
};
const TIMES = { fileRealTimeFactor: 0.1, fileOverheadSec: 0, windowSec: 1 };
const file = (atSec: number, audioSec = 100): Arrival => ({ atSec, audioSec, kind: 'file' });

test('the first job of an empty pool waits for the cold start', () => {
  const outcome = simulatePool([file(0)], POOL, TIMES);
  expect(outcome.waitsSec).toEqual([11]);
  expect(outcome).toMatchObject({ coldStarts: 1, peakWorkers: 1, busyWorkerSec: 10 });
});

test('a worker that always runs takes the job at once and is paid for all the time', () => {
  const outcome = simulatePool([file(20)], { ...POOL, minWorkers: 1 }, TIMES);
  expect(outcome.waitsSec).toEqual([0]);
  expect(outcome).toMatchObject({ coldStarts: 0, paidWorkerSec: 30 });
});

test('jobs behind one another on one worker wait for each other', () => {
  const pool = { ...POOL, minWorkers: 1, maxWorkers: 1 };
  expect(simulatePool([file(0), file(0), file(0)], pool, TIMES).waitsSec).toEqual([0, 10, 20]);
});

test('places of one worker are taken side by side', () => {
  const pool = { ...POOL, minWorkers: 1, maxWorkers: 1, concurrency: 2 };
  expect(simulatePool([file(0), file(0), file(0)], pool, TIMES).waitsSec).toEqual([0, 0, 10]);
});

test('never more workers than allowed', () => {
  const arrivals = Array.from({ length: 20 }, () => file(0));
  expect(simulatePool(arrivals, POOL, TIMES).peakWorkers).toBe(3);
});

test('scaling by delay adds a worker only once a job has waited that long', () => {
  const scaler = { type: 'QUEUE_DELAY', value: 4 } as const;
  const [waited] = simulatePool([file(0)], { ...POOL, scaler }, TIMES).waitsSec;
  expect(waited).toBe(15);
});

test('an idle worker stops after its timeout, and the next job is cold again', () => {
  const outcome = simulatePool([file(0), file(100)], POOL, TIMES);
  expect(outcome.coldStarts).toBe(2);
  expect(outcome.waitsSec[1]).toBeGreaterThanOrEqual(10);
  const kept = simulatePool([file(0), file(100)], { ...POOL, idleTimeoutSec: 300 }, TIMES);
  expect(kept.coldStarts).toBe(1);
  expect(kept.waitsSec[1]).toBe(0);
});

test('the trace is the same every time, with every meeting and window in it', () => {
  const options = {
    hours: 2,
    meetingsAnHour: 3,
    meetingSec: 60,
    sessionsAnHour: 1,
    windowEverySec: 2,
  };
  const trace = officeTrace(options);
  expect(trace).toEqual(officeTrace(options));
  expect(trace.filter(({ kind }) => kind === 'file')).toHaveLength(6);
  expect(trace.filter(({ kind }) => kind === 'realtime')).toHaveLength(60);
});

test('what a job costs is read off a short and a long recording, each by its fastest run', () => {
  const short = { audioSec: 50, runsSec: [3, 2.5, 9] };
  const long = { audioSec: 250, runsSec: [6.5, 8] };
  expect(costOf(short, long)).toEqual({ fileRealTimeFactor: 0.02, fileOverheadSec: 1.5 });
  const noisy = costOf({ ...short, runsSec: [9] }, long);
  expect(noisy).toEqual({ fileRealTimeFactor: 0, fileOverheadSec: 9 });
});

test('measured times are read as they were written, and say what they are of', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stt-times-'));
  const path = join(folder, 'times.json');
  const times = { ...ASSUMED_TIMES, about: 'measured: a model on cpu' };
  await writeServiceTimes(path, times);
  expect(await readServiceTimes(path)).toEqual(times);
  await rm(folder, { recursive: true });
});
