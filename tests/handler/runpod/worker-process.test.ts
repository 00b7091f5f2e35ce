import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { FakeRunpodApi, type Scenario } from '../../fakes/runpod-api.ts';

const FIXTURE = fileURLToPath(new URL('../../fixtures/runpod-worker-process.ts', import.meta.url));
const IDLE = 3600;
const PING_INTERVAL_MS = 200;

interface WorkerProcess {
  readonly api: FakeRunpodApi;
  readonly child: ChildProcess;
  readonly exited: Promise<unknown[]>;
}

/** A worker in a process of its own, started as in production on Node 20. */
async function spawnWorker(scenario: Scenario): Promise<WorkerProcess> {
  const api = await FakeRunpodApi.start(
    { idle_delay: IDLE, stop_delay: IDLE, ...scenario },
    { holdPollsUntilPing: true },
  );
  const child = spawn(process.execPath, ['--import', './scripts/typescript.mjs', FIXTURE], {
    env: {
      PATH: process.env['PATH'],
      ...api.environment(),
      RUNPOD_CONCURRENCY: '1',
      RUNPOD_PING_INTERVAL: String(PING_INTERVAL_MS),
      RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: 'true',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
    await api.close();
  });
  return { api, child, exited };
}

const oneJob = (input: object): Scenario => ({
  takes: [{ status: 200, body: { id: 't1', input } }],
});

const pingsOf = (api: FakeRunpodApi, jobId: string) =>
  api.on('ping').filter(({ url }) => url.includes(`job_id=${jobId}&`));

test('SIGTERM while idle ends the polls and exits with 0 at once', async () => {
  const { api, child, exited } = await spawnWorker({});
  await api.until(() => api.on('take').length > 0 && api.on('ping').length > 1);
  const askedAt = performance.now();
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(performance.now() - askedAt).toBeLessThan(10_000);
  expect(api.on('done')).toEqual([]);
});

test('SIGTERM in the middle of a job lets it end, posts its result, and exits with 0', async () => {
  const { api, child, exited } = await spawnWorker(oneJob({ sleepMs: 1200 }));
  await api.until(() => pingsOf(api, 't1').length > 0);
  const signalledAt = api.requests.at(-1)!.atMs;
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(api.posted('t1')).toEqual([{ output: { slept: 1200, blocked: 0 } }]);
  expect(api.on('take').length).toBeLessThanOrEqual(1);
  const later = pingsOf(api, 't1').filter(({ atMs }) => atMs > signalledAt);
  expect(later.length).toBeGreaterThan(0);
});

test('a second signal hands an error in and exits with 1', async () => {
  const { api, child, exited } = await spawnWorker(oneJob({ sleepMs: 60_000 }));
  await api.until(() => pingsOf(api, 't1').length > 0);
  child.kill('SIGINT');
  child.kill('SIGTERM');
  expect(await exited).toEqual([1, null]);
  expect(api.posted('t1')).toEqual([
    {
      error: {
        code: 'SHUTTING_DOWN',
        message: 'The worker was stopped before the job ended',
        retryable: true,
      },
    },
  ]);
});

test('the heartbeat goes on, with the job’s id, while the main thread is blocked', async () => {
  const blockMs = 3000;
  const { api, child, exited } = await spawnWorker(oneJob({ blockMs }));
  await api.until(() => api.posted('t1').length > 0);
  const endedAt = api.on('done')[0]!.atMs;
  const whileBlocked = pingsOf(api, 't1').map(({ atMs }) => atMs);
  const inside = whileBlocked.filter((atMs) => atMs > endedAt - blockMs && atMs < endedAt);
  expect(inside.length).toBeGreaterThanOrEqual(3);
  for (const [index, atMs] of inside.slice(1).entries()) {
    expect(atMs - inside[index]!).toBeLessThan(2500);
  }
  await api.until(() => !api.on('ping').at(-1)!.url.includes('job_id'));
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  for (const { url } of api.on('ping')) expect(url).toMatch(/[?&]runpod_version=1\.12\.0$/);
});
