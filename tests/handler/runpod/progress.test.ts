import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { JobProgress } from '../../../handler/job.ts';
import { ProgressChannel } from '../../../handler/runpod/progress.ts';
import { startWorker } from './running-worker.ts';

const at = (fraction: number): JobProgress => ({ stage: 'decoding', fraction });
const scenario = {
  takes: [{ status: 200, body: { id: 'j1', input: {} } }],
  idle_delay: 3600,
};

test('updates go to the result URL with a status, the latest wins, the result is last', async () => {
  const { api, stop } = await startWorker({
    scenario: { ...scenario, done: [{ delay: 0.05 }] },
    handler: async (_job, { onProgress }) => {
      for (const fraction of [0.1, 0.2, 0.3, 0.4]) onProgress(at(fraction));
      await api.until(() => api.on('done').length >= 2);
      onProgress(at(0.9));
      return 'text';
    },
  });
  await api.until(() => api.on('done').some(({ body }) => body.includes('text')));
  await stop();
  expect(api.posted('j1')).toEqual([
    { status: 'IN_PROGRESS', output: at(0.1) },
    { status: 'IN_PROGRESS', output: at(0.4) },
    { output: 'text' },
  ]);
  for (const { url } of api.on('done')) expect(url).toMatch(/&isStream=false$/);
});

test('the result waits for the update under way, and later updates are dropped', async () => {
  let update: (progress: JobProgress) => void = () => undefined;
  const { api, stop } = await startWorker({
    scenario: { ...scenario, done: [{ delay: 0.2 }] },
    handler: async (_job, { onProgress }) => {
      update = onProgress;
      onProgress(at(0.5));
      onProgress(at(0.6));
      return 'text';
    },
  });
  await api.until(() => api.on('done').length === 2);
  update(at(1));
  await wait(60);
  await stop();
  expect(api.posted('j1')).toEqual([
    { status: 'IN_PROGRESS', output: at(0.5) },
    { output: 'text' },
  ]);
  const [progress, result] = api.on('done');
  expect(result!.atMs - progress!.atMs).toBeGreaterThanOrEqual(195);
});

test('an update that hangs is cut off rather than holding the result back', async () => {
  const { api } = await startWorker({
    scenario: { ...scenario, done: [{ delay: 3600 }] },
    handler: async (_job, { onProgress }) => {
      onProgress(at(0.5));
      await api.until(() => api.on('done').length === 1);
      return 'text';
    },
    timing: { progressCloseMs: 50 },
  });
  await api.until(() => api.on('done').length === 2);
  expect(api.posted('j1')[1]).toEqual({ output: 'text' });
});

test('a failing update is not retried and does not harm the job', async () => {
  const { api } = await startWorker({
    scenario: { ...scenario, done: [{ status: 500 }] },
    handler: async (_job, { onProgress }) => {
      onProgress(at(0.5));
      await wait(50);
      return 'text';
    },
  });
  await api.until(() => api.on('done').length === 2);
  expect(api.posted('j1')[1]).toEqual({ output: 'text' });
});

test('posts never overlap and keep their distance', async () => {
  const startedAt: number[] = [];
  let underWay = 0;
  let mostUnderWay = 0;
  const channel = new ProgressChannel({
    intervalMs: 30,
    closeMs: 1000,
    post: async () => {
      startedAt.push(performance.now());
      underWay += 1;
      mostUnderWay = Math.max(mostUnderWay, underWay);
      await wait(20);
      underWay -= 1;
    },
  });
  for (let step = 0; step < 40; step += 1) {
    channel.update(at(step / 40));
    await wait(5);
  }
  await channel.close();
  const posts = startedAt.length;
  channel.update(at(1));
  await wait(50);
  expect(startedAt).toHaveLength(posts);
  expect(posts).toBeGreaterThan(1);
  expect(mostUnderWay).toBe(1);
  for (const [index, time] of startedAt.slice(1).entries()) {
    expect(time - startedAt[index]!).toBeGreaterThanOrEqual(48);
  }
});
