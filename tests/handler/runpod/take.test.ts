import { expect, test } from 'vitest';
import type { ScenarioStep } from '../../fakes/runpod-api.ts';
import { startWorker } from './running-worker.ts';

const IDLE = 3600;
const job = (id: string, extra: object = {}): ScenarioStep => ({
  status: 200,
  body: { id, input: {}, ...extra },
});

/** Milliseconds between each take and the next. */
const gapsMs = (requests: readonly { readonly atMs: number }[]): number[] =>
  requests.slice(1).map(({ atMs }, index) => atMs - (requests[index]?.atMs ?? 0));

test('a job reaches the handler with its extra keys', async () => {
  const { api } = await startWorker({
    scenario: { takes: [job('j1', { webhook: 'https://x', delayTime: 5 })], idle_delay: IDLE },
    handler: async (received) => ({ received }),
  });
  await api.until(() => api.on('done').length > 0);
  expect(api.posted('j1')).toEqual([
    { output: { received: { id: 'j1', input: {}, webhook: 'https://x', delayTime: 5 } } },
  ]);
});

test('204 and 400 mean no job, and are asked again after a floor, not at once', async () => {
  const takes = [{ status: 204 }, { status: 400 }, job('j1')];
  const { api, logs } = await startWorker({
    scenario: { takes, idle_delay: IDLE },
    timing: { takeFloorMs: 200 },
  });
  await api.until(() => api.posted('j1').length > 0);
  const [first = 0, second = 0] = gapsMs(api.on('take'));
  expect(Math.min(first, second)).toBeGreaterThanOrEqual(100);
  expect(logs.filter(({ message }) => message === 'take failed')).toEqual([]);
});

test('failures are retried with a growing wait, and an answer resets it', async () => {
  const broken = [{ status: 500 }, { drop: true }, { status: 401 }];
  const takes = [...broken, { status: 204, delay: 0.03 }, { status: 503 }, job('j1')];
  const { api, logs } = await startWorker({
    scenario: { takes, idle_delay: IDLE },
    timing: { takeBackoffFirstMs: 40, takeBackoffMaxMs: 100, random: () => 0.5 },
  });
  await api.until(() => api.posted('j1').length > 0);
  const failed = logs.filter(({ message }) => message === 'take failed');
  expect(failed.map(({ status, failures, waitMs }) => [status, failures, waitMs])).toEqual([
    [500, 1, 30],
    [undefined, 2, 60],
    [401, 3, 75],
    [503, 1, 30],
  ]);
  const [first = 0, second = 0, third = 0, , again = 0] = gapsMs(api.on('take'));
  expect(first).toBeGreaterThanOrEqual(28);
  expect(second).toBeGreaterThanOrEqual(58);
  expect(third).toBeGreaterThanOrEqual(73);
  expect(again).toBeGreaterThanOrEqual(28);
});

test('the back-off is spread between half and the whole wait', async () => {
  for (const [random, waitMs] of [
    [0, 20],
    [1, 40],
  ] as const) {
    const { api, logs } = await startWorker({
      scenario: { takes: [{ status: 500 }], idle_delay: IDLE },
      timing: { takeBackoffFirstMs: 40, random: () => random },
    });
    await api.until(() => api.on('take').length === 2);
    expect(logs).toContainEqual(expect.objectContaining({ message: 'take failed', waitMs }));
  }
});

test('429 waits for its own time', async () => {
  const { api } = await startWorker({
    scenario: { takes: [{ status: 429 }, job('j1')], idle_delay: IDLE },
    timing: { rateLimitMs: 120 },
  });
  await api.until(() => api.posted('j1').length > 0);
  expect(gapsMs(api.on('take'))[0]).toBeGreaterThanOrEqual(118);
});

test('a poll that is left hanging is given up and asked anew', async () => {
  const { api, logs } = await startWorker({
    scenario: { takes: [{ status: 204, delay: IDLE }, job('j1')], idle_delay: IDLE },
    timing: { pollTimeoutMs: 300 },
  });
  await api.until(() => api.posted('j1').length > 0);
  expect(gapsMs(api.on('take'))[0]).toBeGreaterThanOrEqual(150);
  expect(logs.filter(({ message }) => message === 'take failed')).toEqual([]);
});

test('a reply that is not JSON, or broken JSON, is no job', async () => {
  const html = { status: 200, ctype: 'text/html', body: '<html>' };
  const broken = { status: 200, body: '{"id": "j0", ' };
  const { api } = await startWorker({
    scenario: { takes: [html, broken, { status: 200, body: [] }, job('j1')], idle_delay: IDLE },
  });
  await api.until(() => api.posted('j1').length > 0);
  expect(api.on('done')).toHaveLength(1);
});

test('a job without input gets an error, one without id only a log line', async () => {
  const takes = [
    { status: 200, body: { id: 'noinput' } },
    { status: 200, body: { input: {} } },
    job('j1'),
  ];
  const { api, logs } = await startWorker({ scenario: { takes, idle_delay: IDLE } });
  await api.until(() => api.posted('j1').length > 0);
  expect(api.posted('noinput')).toEqual([
    { error: { code: 'INPUT_INVALID', message: 'The job has no input', retryable: false } },
  ]);
  expect(api.on('done')).toHaveLength(2);
  expect(logs.filter(({ message }) => message === 'job without id dropped')).toHaveLength(1);
});

test('an input that is null is the handler’s to judge', async () => {
  const { api } = await startWorker({
    scenario: { takes: [job('j1', { input: null })], idle_delay: IDLE },
    handler: async ({ input }) => ({ input }),
  });
  await api.until(() => api.posted('j1').length > 0);
  expect(api.posted('j1')).toEqual([{ output: { input: null } }]);
});

test('the elements of a batch are judged one by one', async () => {
  const body = [null, 'x', { id: 7, input: {} }, { id: 'bad' }, { id: 'good', input: {} }];
  const { api, logs } = await startWorker({
    scenario: { takes: [{ status: 200, body }], idle_delay: IDLE },
    config: { concurrency: 2 },
  });
  await api.until(() => api.posted('good').length > 0 && api.posted('bad').length > 0);
  expect(api.posted('bad')).toEqual([
    { error: expect.objectContaining({ code: 'INPUT_INVALID' }) },
  ]);
  expect(logs.filter(({ message }) => message === 'job without id dropped')).toHaveLength(3);
});

test('a job that is held already does not run twice', async () => {
  let runs = 0;
  const { api, stop } = await startWorker({
    scenario: { takes: [job('j1'), job('j1')], idle_delay: IDLE },
    config: { concurrency: 2 },
    handler: async () => {
      runs += 1;
      await api.until(() => api.on('take').length >= 3);
      return runs;
    },
  });
  await api.until(() => api.posted('j1').length > 0);
  await stop();
  expect(api.posted('j1')).toEqual([{ output: 1 }]);
});
