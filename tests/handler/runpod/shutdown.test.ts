import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { listenForShutdown } from '../../../handler/runpod/signals.ts';
import { PATIENT, startWorker } from './running-worker.ts';

const IDLE = 3600;
const jobs = (...ids: string[]): object[] => ids.map((id) => ({ id, input: {} }));

test('an idle worker leaves at once, though its polls would hang for an hour', async () => {
  const { api, stop } = await startWorker({ scenario: { idle_delay: IDLE, stop_delay: IDLE } });
  await api.until(() => api.on('take').length > 0 && api.on('stop').length > 0);
  const askedAt = performance.now();
  expect(await stop()).toBe(0);
  expect(performance.now() - askedAt).toBeLessThan(5000);
});

test('a shutdown lets every held job end, waiting ones too, and takes no more', async () => {
  const { api, stop } = await startWorker({
    scenario: { takes: [{ status: 200, body: jobs('a', 'b') }], idle_delay: IDLE },
    handler: async ({ id }) => {
      await wait(80);
      return id;
    },
  });
  await api.until(() => api.handedOut.length > 0);
  expect(await stop()).toBe(0);
  expect(api.posted('a')).toEqual([{ output: 'a' }]);
  expect(api.posted('b')).toEqual([{ output: 'b' }]);
  expect(api.on('take')).toHaveLength(1);
});

test('a result is still retried while the worker drains', async () => {
  const { api, stop } = await startWorker({
    scenario: {
      takes: [{ status: 200, body: jobs('a')[0] }],
      done: [{ status: 500 }, { drop: true }],
    },
    handler: async () => 'text',
  });
  await api.until(() => api.on('done').length === 1);
  expect(await stop()).toBe(0);
  expect(api.posted('a')).toHaveLength(3);
});

test('a job that arrives just after the shutdown is run', async () => {
  const { api, stop } = await startWorker({
    scenario: { takes: [{ status: 200, delay: 0.1, body: jobs('late')[0] }] },
    timing: { pollGraceMs: 2000 },
    handler: async () => 'text',
  });
  await api.until(() => api.on('take').length === 1);
  expect(await stop()).toBe(0);
  expect(api.posted('late')).toEqual([{ output: 'text' }]);
});

test('in a hurry every held job is answered with an error, running or waiting', async () => {
  let runs = 0;
  const { api, exitCode, shutdown, hurry } = await startWorker({
    scenario: { takes: [{ status: 200, body: jobs('a', 'b') }], idle_delay: IDLE },
    handler: () => {
      runs += 1;
      return new Promise(() => undefined);
    },
  });
  await expect.poll(() => runs, PATIENT).toBe(1);
  shutdown();
  hurry();
  expect(await exitCode).toBe(1);
  const error = expect.objectContaining({ code: 'SHUTTING_DOWN', retryable: true });
  expect(api.posted('a')).toEqual([{ error }]);
  expect(api.posted('b')).toEqual([{ error }]);
  expect(runs).toBe(1);
});

test('in a hurry a platform that does not answer is not waited for', async () => {
  const { api, exitCode, shutdown, hurry } = await startWorker({
    scenario: {
      takes: [{ status: 200, body: jobs('a')[0] }],
      done: [{ delay: IDLE }],
      idle_delay: IDLE,
    },
    timing: { hurryMs: 100 },
  });
  await api.until(() => api.on('done').length === 1);
  shutdown();
  hurry();
  expect(await exitCode).toBe(1);
});

test('the first signal asks to shut down, the second to hurry', () => {
  const { shutdown, hurry, release } = listenForShutdown();
  process.emit('SIGTERM');
  expect([shutdown.aborted, hurry.aborted]).toEqual([true, false]);
  process.emit('SIGINT');
  expect(hurry.aborted).toBe(true);
  release();
  expect(process.listenerCount('SIGTERM', () => undefined)).toBe(0);
});
