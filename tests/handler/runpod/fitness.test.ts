import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import type { FitnessCheck } from '../../../handler/runpod/fitness.ts';
import { PATIENT, startWorker } from './running-worker.ts';

const failing = (name: string, needsGpu = false): FitnessCheck => ({
  name,
  needsGpu,
  run: async () => {
    throw new SttError('DEVICE_UNAVAILABLE', 'The GPU is not there');
  },
});

test('checks run in their order before the first request, then jobs are taken', async () => {
  const order: string[] = [];
  let requests: readonly unknown[] = [];
  const check = (name: string): FitnessCheck => ({
    name,
    run: async () => {
      await wait(20);
      order.push(`${name} after ${requests.length} requests`);
    },
  });
  const { api, stop } = await startWorker({ fitnessChecks: [check('engine'), check('gpu')] });
  requests = api.requests;
  await api.until(() => api.on('take').length > 0);
  expect(await stop()).toBe(0);
  expect(order).toEqual(['engine after 0 requests', 'gpu after 0 requests']);
});

test('a failing check is reported once, no job is taken, and the exit code is 1', async () => {
  const { api, exitCode, logs } = await startWorker({
    heartbeat: true,
    fitnessChecks: [failing('engine warm'), failing('never reached')],
  });
  expect(await exitCode).toBe(1);
  expect(api.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'GET /v2/ep1/ping/pod42?gpu=NVIDIA+RTX+A5000&status=unhealthy&check=engine+warm' +
      '&reason=The+GPU+is+not+there&runpod_version=1.12.0',
  ]);
  expect(logs).toContainEqual(
    expect.objectContaining({ message: 'fitness check failed', check: 'engine warm' }),
  );
});

test('a platform that does not hear the report does not keep the worker', async () => {
  const { exitCode } = await startWorker({
    heartbeat: true,
    scenario: { ping: [{ delay: 3600 }] },
    fitnessChecks: [failing('engine')],
    timing: { unhealthyPingMs: 50 },
  });
  expect(await exitCode).toBe(1);
});

test('too little memory or disk space fails, unless system checks are skipped', async () => {
  const memory = await startWorker({ config: { skipSystemChecks: false, minMemoryGb: 99_999 } });
  expect(await memory.exitCode).toBe(1);
  expect(memory.logs[0]).toMatchObject({ check: 'memory', err: { code: 'INTERNAL' } });
  const disk = await startWorker({
    config: { skipSystemChecks: false, minMemoryGb: 0, minDiskPercent: 100 },
  });
  expect(await disk.exitCode).toBe(1);
  expect(disk.logs[0]).toMatchObject({ check: 'disk' });
  const skipped = await startWorker({ config: { minMemoryGb: 99_999 } });
  await skipped.api.until(() => skipped.api.on('take').length > 0);
  expect(await skipped.stop()).toBe(0);
});

test('GPU checks are left out when they are to be skipped', async () => {
  const { api, stop } = await startWorker({
    config: { skipGpuCheck: true },
    fitnessChecks: [failing('gpu', true)],
  });
  await api.until(() => api.on('take').length > 0);
  expect(await stop()).toBe(0);
});

test('a shutdown during the checks ends with exit code 0 and without a report', async () => {
  let isStarted = false;
  const { api, exitCode, shutdown } = await startWorker({
    heartbeat: true,
    fitnessChecks: [
      {
        name: 'engine warm',
        run: async (signal) => {
          isStarted = true;
          await new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
          });
        },
      },
    ],
  });
  await expect.poll(() => isStarted, PATIENT).toBe(true);
  shutdown();
  expect(await exitCode).toBe(0);
  expect(api.on('take')).toEqual([]);
});

test('without a take URL or key the worker says so and leaves with exit code 1', async () => {
  const { exitCode, logs } = await startWorker({ config: { getJobUrl: undefined } });
  expect(await exitCode).toBe(1);
  expect(logs).toMatchObject([{ message: 'worker configuration incomplete', level: 'ERROR' }]);
});
