import { expect, test } from 'vitest';
import { startWorker } from './running-worker.ts';

const PING_INTERVAL_MS = 600;
const config = { pingIntervalMs: PING_INTERVAL_MS };

test('an idle worker pings at its interval, without job ids and with the raw key', async () => {
  const { api, stop } = await startWorker({ heartbeat: true, config });
  await api.until(() => api.on('ping').length === 3);
  await stop();
  for (const { method, url, headers } of api.on('ping')) {
    expect(`${method} ${url}`).toBe(
      'GET /v2/ep1/ping/pod42?gpu=NVIDIA+RTX+A5000&runpod_version=1.12.0',
    );
    expect(headers).toMatchObject({ authorization: 'KEY123' });
    expect(headers).not.toHaveProperty('x-request-id');
  }
  const [first, second] = api.on('ping');
  expect(second!.atMs - first!.atMs).toBeGreaterThanOrEqual(PING_INTERVAL_MS - 2);
});

test('the protocol version is a setting', async () => {
  const { api } = await startWorker({ heartbeat: true, config: { protocolVersion: '1.13.0' } });
  await api.until(() => api.on('ping').length > 0);
  expect(api.on('ping')[0]?.url).toMatch(/&runpod_version=1\.13\.0$/);
});

test('a job is named from its arrival until its result has been accepted', async () => {
  const { api, stop } = await startWorker({
    heartbeat: true,
    api: { holdPollsUntilPing: true },
    scenario: {
      takes: [{ status: 200, body: { id: 'a b', input: {} } }],
      done: [{ status: 500 }, { status: 500 }],
      idle_delay: 3600,
    },
    timing: { postRetryMs: [200, 200] },
  });
  await api.until(() => api.on('done').length === 3);
  const ended = api.on('ping').length;
  await api.until(() => api.on('ping').length >= ended + 3);
  await stop();
  const [first, , last] = api.on('done');
  const named = api.on('ping').filter(({ url }) => url.includes('job_id='));
  const whileRetrying = named.filter(({ atMs }) => atMs > first!.atMs && atMs < last!.atMs);
  expect(whileRetrying.length).toBeGreaterThan(1);
  for (const { url } of named) expect(url).toContain('&job_id=a%20b&runpod_version=');
  expect(api.on('ping').at(-1)?.url).not.toContain('job_id');
});

test('a failed ping is repeated up to three times, then reported, and the next follows', async () => {
  const broken = [{ status: 500 }, { status: 429 }, { drop: true }, { status: 503 }];
  const { api, stop, logs } = await startWorker({
    heartbeat: true,
    config: { pingIntervalMs: 1000 },
    scenario: { ping: broken },
  });
  await api.until(() => api.on('ping').length === 5);
  await stop();
  const [first, , , fourth, fifth] = api.on('ping');
  expect(fourth!.atMs - first!.atMs).toBeGreaterThanOrEqual(58);
  expect(fifth!.atMs - fourth!.atMs).toBeGreaterThanOrEqual(998);
  expect(logs.filter(({ message }) => message === 'heartbeat failed')).toMatchObject([
    { status: 503 },
  ]);
});

test('without a pod id there is no heartbeat, and the worker says so', async () => {
  const { api, stop, logs } = await startWorker({ heartbeat: true, config: { podId: undefined } });
  await api.until(() => api.on('take').length > 0);
  expect(await stop()).toBe(0);
  expect(logs.some(({ message }) => message === 'heartbeat off')).toBe(true);
  expect(api.on('take')[0]?.url).toMatch(/\/job-take\/[0-9a-f-]{36}\?/);
});
