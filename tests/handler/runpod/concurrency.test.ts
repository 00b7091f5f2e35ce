import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ScenarioStep } from '../../fakes/runpod-api.ts';
import { PATIENT, startWorker } from './running-worker.ts';

const IDLE = 3600;
const jobs = (...ids: string[]): object[] => ids.map((id) => ({ id, input: {} }));

const stopOf = (...jobsToStop: readonly unknown[]): ScenarioStep => ({
  status: 200,
  delay: 0.1,
  body: { jobsToStop },
});

/** Lets a test end each job by hand. */
function gates() {
  const open = new Map<string, () => void>();
  const started: string[] = [];
  return {
    started,
    finish: (id: string) => open.get(id)?.(),
    pass: async (id: string, signal: AbortSignal): Promise<void> => {
      started.push(id);
      await new Promise<void>((resolve, reject) => {
        open.set(id, resolve);
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    },
  };
}

test('unequal jobs overlap, and each freed slot is asked for at once', async () => {
  const gate = gates();
  const { api, stop } = await startWorker({
    scenario: {
      takes: [
        { status: 200, body: jobs('a', 'b', 'c') },
        { status: 200, body: jobs('d')[0] },
        { status: 200, body: jobs('e', 'f') },
      ],
      idle_delay: IDLE,
    },
    config: { concurrency: 3 },
    handler: async ({ id }, { signal }) => {
      await gate.pass(id, signal);
      return id;
    },
  });
  await expect.poll(() => gate.started, PATIENT).toEqual(['a', 'b', 'c']);
  expect(api.on('take')).toHaveLength(1);
  gate.finish('b');
  await expect.poll(() => gate.started, PATIENT).toEqual(['a', 'b', 'c', 'd']);
  gate.finish('a');
  gate.finish('d');
  await expect.poll(() => gate.started.length, PATIENT).toBe(6);
  for (const id of ['c', 'e', 'f']) gate.finish(id);
  await api.until(() => api.on('done').length === 6);
  await stop();

  const takes = api.on('take').map(({ url }) => url.replace(/^\/v2\/ep1\/|\?gpu=[^&]+/g, ''));
  expect(takes.slice(0, 2)).toEqual([
    'job-take-batch/pod42&batch_size=3&job_in_progress=0',
    'job-take/pod42&job_in_progress=1',
  ]);
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) expect(api.posted(id)).toEqual([{ output: id }]);
});

test('every post carries the id of its own job, and no poll carries one', async () => {
  const ids = ['a', 'b', 'c', 'd'];
  const { api, stop } = await startWorker({
    scenario: { takes: [{ status: 200, body: jobs(...ids) }] },
    config: { concurrency: 4 },
    handler: async ({ id }, { onProgress }) => {
      onProgress({ stage: id, fraction: 0.5 });
      await wait(ids.indexOf(id) * 10);
      return id;
    },
  });
  await api.until(
    () => api.on('done').filter(({ body }) => !body.includes('IN_PROGRESS')).length === 4,
  );
  await stop();
  for (const { channel, url, headers } of api.requests) {
    const named = channel === 'done' ? /pod42\/(\w+)\?/.exec(url)?.[1] : undefined;
    expect(headers['x-request-id']).toBe(named);
  }
});

test('jobs beyond the setting wait, and a waiting job can be stopped', async () => {
  const gate = gates();
  const { api, stop } = await startWorker({
    scenario: {
      takes: [{ status: 200, body: jobs('a', 'b', 'c') }],
      stop: [{ ...stopOf('b'), when: (api) => api.handedOut.length === 3 }],
      stop_delay: IDLE,
    },
    handler: async ({ id }, { signal }) => {
      await gate.pass(id, signal);
      return id;
    },
  });
  await api.until(() => api.on('stop').length === 2);
  expect(gate.started).toEqual(['a']);
  gate.finish('a');
  await expect.poll(() => gate.started, PATIENT).toEqual(['a', 'c']);
  gate.finish('c');
  await api.until(() => api.posted('c').length > 0);
  await stop();
  expect(api.posted('b')).toEqual([]);
});

test('a full engine is not given jobs, one with room for two gets a batch of two', async () => {
  let room = 0;
  const { api } = await startWorker({
    scenario: { takes: [{ status: 200, body: jobs('a', 'b') }], idle_delay: IDLE },
    config: { concurrency: 8 },
    capacity: () => room,
  });
  await wait(60);
  expect(api.on('take')).toHaveLength(0);
  room = 2;
  await api.until(() => api.posted('a').length + api.posted('b').length === 2);
  expect(api.on('take')[0]?.url).toContain('/job-take-batch/pod42?');
  expect(api.on('take')[0]?.url).toContain('&batch_size=2&job_in_progress=0');
});

test('a stopped job posts nothing, is told why, and leaves the others alone', async () => {
  const reasons: unknown[] = [];
  const gate = gates();
  const { api, stop } = await startWorker({
    scenario: {
      takes: [{ status: 200, body: jobs('a', 'b') }],
      stop: [{ ...stopOf('a', 'unknown', 7), when: (api) => api.handedOut.length === 2 }],
      stop_delay: IDLE,
      idle_delay: IDLE,
    },
    config: { concurrency: 2 },
    handler: async ({ id }, { signal }) => {
      await gate.pass(id, signal).catch((reason: unknown) => {
        reasons.push(reason);
        throw reason;
      });
      return id;
    },
  });
  await expect
    .poll(() => reasons, PATIENT)
    .toEqual([expect.objectContaining({ code: 'JOB_CANCELLED' })]);
  gate.finish('b');
  await api.until(() => api.posted('b').length > 0);
  await stop();
  expect(api.posted('a')).toEqual([]);
});

test('a job that ignores the stop is still answered with nothing', async () => {
  let ended = false;
  const { api, stop } = await startWorker({
    scenario: {
      takes: [{ status: 200, body: jobs('a')[0] }],
      stop: [{ ...stopOf('a'), when: (api) => api.handedOut.length === 1 }],
      stop_delay: IDLE,
      idle_delay: IDLE,
    },
    handler: async () => {
      await api.until(() => api.on('stop').length === 2);
      ended = true;
    },
  });
  await api.until(() => api.on('take').length === 2);
  expect(ended).toBe(true);
  await stop();
  expect(api.on('done')).toEqual([]);
});

test('a stop message of another shape is ignored, a failing stop channel is asked again', async () => {
  const { api, logs, stop } = await startWorker({
    scenario: {
      takes: [{ status: 200, delay: 0.2, body: jobs('a')[0] }],
      stop: [
        { status: 200, body: { jobsToStop: 'a' } },
        { status: 200, body: 'not json' },
        { status: 404 },
        { status: 429 },
        { drop: true },
      ],
      stop_delay: IDLE,
    },
  });
  await api.until(() => api.on('stop').length === 6 && api.posted('a').length > 0);
  await stop();
  expect(logs.some(({ message }) => message === 'stop message not understood')).toBe(true);
});
