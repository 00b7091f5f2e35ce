import { expect, test } from 'vitest';
import type { Scenario, ScenarioStep } from '../../fakes/runpod-api.ts';
import { startWorker } from './running-worker.ts';

const oneJob = (done: readonly ScenarioStep[], extra: Scenario = {}): Scenario => ({
  takes: [{ status: 200, body: { id: 'j1', input: {} } }],
  idle_delay: 3600,
  done,
  ...extra,
});
const OUTPUT = { output: 'text' };
const handler = async (): Promise<string> => 'text';
const rejection = (status: number): object => ({
  error: { code: 'INTERNAL', message: `Result rejected: HTTP ${status}`, retryable: false },
});

test('a result goes out as the form type with its charset, raw key and request id', async () => {
  const { api } = await startWorker({
    scenario: oneJob([]),
    handler: async () => ({ ko: '안녕' }),
  });
  await api.until(() => api.on('done').length > 0);
  const [post] = api.on('done');
  expect(post).toMatchObject({
    method: 'POST',
    url: '/v2/ep1/job-done/pod42/j1?gpu=NVIDIA+RTX+A5000&isStream=false',
    body: '{"output":{"ko":"안녕"}}',
    headers: {
      authorization: 'KEY123',
      'content-type': 'application/x-www-form-urlencoded',
      charset: 'utf-8',
      'x-request-id': 'j1',
    },
  });
  expect(post?.headers['user-agent']).toMatch(/^stt-worker\/0\.1\.0 \(.+\) Node\//);
});

test('500, 502, 429 and a dropped connection are retried until the result is in', async () => {
  const done = [{ status: 500 }, { status: 502 }, { status: 429 }, { drop: true }, { status: 200 }];
  const { api, stop, logs } = await startWorker({ scenario: oneJob(done), handler });
  await api.until(() => api.on('done').length === 5);
  await stop();
  expect(api.posted('j1')).toEqual(Array(5).fill(OUTPUT));
  const failed = logs.filter(({ message }) => message === 'post failed');
  expect(failed.map(({ status, waitMs, requestId }) => [status, waitMs, requestId])).toEqual([
    [500, 10, 'j1'],
    [502, 20, 'j1'],
    [429, 40, 'j1'],
    [undefined, 80, 'j1'],
  ]);
});

test('a result that is never accepted is given up, and the worker goes on', async () => {
  const done = Array(6).fill({ status: 503 });
  const takes = ['j1', 'j2'].map((id) => ({ status: 200, body: { id, input: {} } }));
  const { api, logs } = await startWorker({ scenario: oneJob(done, { takes }), handler });
  await api.until(() => api.posted('j2').length > 0);
  expect(api.posted('j1')).toHaveLength(6);
  expect(logs).toContainEqual(
    expect.objectContaining({ requestId: 'j1', message: 'job result lost', level: 'ERROR' }),
  );
});

test('a rejected result is replaced by one small error', async () => {
  const { api, stop } = await startWorker({ scenario: oneJob([{ status: 413 }]), handler });
  await api.until(() => api.on('done').length === 2);
  await stop();
  expect(api.posted('j1')).toEqual([OUTPUT, rejection(413)]);
});

test('when the small error is rejected too, nothing more is posted', async () => {
  const done = [{ status: 400 }, { status: 404 }];
  const { api, stop, logs } = await startWorker({ scenario: oneJob(done), handler });
  await api.until(() => api.on('done').length === 2);
  await stop();
  expect(api.posted('j1')).toEqual([OUTPUT, rejection(400)]);
  expect(logs.some(({ message }) => message === 'job result lost')).toBe(true);
});

test('a job stopped while its result is retried is not posted again', async () => {
  const stopping: ScenarioStep[] = [
    {
      status: 200,
      delay: 0.1,
      body: { jobsToStop: ['j1'] },
      when: (platform) => platform.on('done').length > 0,
    },
  ];
  const { api, stop } = await startWorker({
    scenario: oneJob([{ status: 500 }], { stop: stopping, stop_delay: 3600 }),
    handler,
    timing: { postRetryMs: [60_000] },
  });
  await api.until(() => api.on('take').length === 2);
  await stop();
  expect(api.on('done')).toHaveLength(1);
});

test('a handler that throws is reported, and the worker survives', async () => {
  const takes = ['j1', 'j2', 'j3'].map((id) => ({ status: 200, body: { id, input: {} } }));
  const { api } = await startWorker({
    scenario: oneJob([], { takes }),
    handler: ({ id }) => {
      if (id === 'j1') throw new TypeError('thrown at once');
      if (id === 'j2') return Promise.reject(new RangeError('rejected'));
      return Promise.resolve('fine');
    },
  });
  await api.until(() => api.posted('j3').length > 0);
  const errors = [api.posted('j1'), api.posted('j2')].map(([body]) =>
    JSON.parse((body as { error: string }).error),
  );
  expect(errors).toMatchObject([
    { error_type: 'TypeError', error_message: 'thrown at once', hostname: 'pod42-host' },
    { error_type: 'RangeError', error_message: 'rejected', worker_id: 'pod42' },
  ]);
});

test('an output that is too large or cannot be written becomes an error', async () => {
  const outputs: Record<string, unknown> = { j1: 'x'.repeat(2000), j2: 1n, j3: Number.NaN };
  const takes = Object.keys(outputs).map((id) => ({ status: 200, body: { id, input: {} } }));
  const { api } = await startWorker({
    scenario: oneJob([], { takes }),
    handler: async ({ id }) => outputs[id],
    config: { maxResultBytes: 1000 },
  });
  await api.until(() => api.posted('j3').length > 0);
  expect(api.posted('j1')).toMatchObject([{ error: { code: 'RESULT_TOO_LARGE' } }]);
  expect(api.posted('j2')).toMatchObject([{ error: { code: 'INTERNAL' } }]);
  expect(api.posted('j3')).toEqual([{ output: null }]);
});

test('a handler may ask for a new worker; this one goes on until it is stopped', async () => {
  const takes = ['j1', 'j2'].map((id) => ({ status: 200, body: { id, input: {} } }));
  const { api } = await startWorker({
    scenario: oneJob([], { takes }),
    handler: async ({ id }) => ({ id, refresh_worker: id === 'j1' }),
  });
  await api.until(() => api.posted('j2').length > 0);
  expect(api.posted('j1')).toEqual([{ output: { id: 'j1' }, stopPod: true }]);
  expect(api.posted('j2')).toEqual([{ output: { id: 'j2' } }]);
});

test('with the setting, every result asks for a new worker and the first one ends this', async () => {
  const { api, exitCode } = await startWorker({
    scenario: oneJob([]),
    handler: async () => {
      throw new Error('also then');
    },
    config: { refreshWorker: true },
  });
  expect(await exitCode).toBe(0);
  expect(api.posted('j1')).toEqual([{ error: expect.any(String), stopPod: true }]);
  expect(api.on('take')).toHaveLength(1);
});

test('no log line repeats what a job, its output or its error said', async () => {
  const takes = ['j1', 'j2'].map((id) => ({ status: 200, body: { id, input: 'input-secret' } }));
  const { api, stop, logs } = await startWorker({
    scenario: oneJob([{ status: 400 }], { takes }),
    handler: async ({ id }) => {
      if (id === 'j2') throw new Error('error-secret');
      return 'output-secret';
    },
  });
  await api.until(() => api.posted('j2').length > 0);
  await stop();
  const text = JSON.stringify(logs);
  expect(text).not.toMatch(/secret|KEY123|http:/);
  expect(logs).toContainEqual(expect.objectContaining({ message: 'job failed', requestId: 'j2' }));
});
