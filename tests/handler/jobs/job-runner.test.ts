import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../../core/config.ts';
import { SttError } from '../../../core/errors.ts';
import type { Claimant } from '../../../handler/store/job-claims.ts';
import { FaultyDatabase } from '../../fakes/faulty-database.ts';
import {
  failWith,
  JobsBench,
  LIMITS,
  submission,
  succeed,
  until,
  untilAborted,
} from './jobs-bench.ts';

/** What must not befall an accepted job, whatever befalls the engine, the database or the process. */
const bench = new JobsBench();
beforeEach(() => bench.reset());
afterEach(() => bench.stop());
afterAll(() => bench.remove());

const stateOf = async (id: string) => (await bench.jobs.get('acme', id))?.state;

async function restart(more: Parameters<JobsBench['start']>[0] = {}): Promise<void> {
  await bench.stop();
  await bench.start(more);
}

/** An engine that is being loaded for as long as the process lives. */
const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

const configWith = (more: object) => ({
  ...loadConfig({ DATA_DIR: bench.dataDir }).jobs,
  ...more,
});

test.each(['MODEL_NOT_FOUND', 'MODEL_DOWNLOAD_FAILED', 'DEVICE_UNAVAILABLE'] as const)(
  'an engine that cannot be loaded (%s) costs accepted jobs nothing',
  async (code) => {
    bench.run = { ready: () => Promise.reject(new SttError(code, 'No engine')) };
    await restart();
    await bench.jobs.submit(submission('a', { upload: bench.upload('x') }));
    await wait(50);
    expect(await bench.jobs.get('acme', 'a')).toMatchObject({ state: 'queued', attempts: 0 });
    bench.run = {};
    await restart();
    expect(await bench.settled('a')).toMatchObject({ state: 'completed', attempts: 1 });
  },
);

test('jobs of a dead process wait for the engine of the next', async () => {
  bench.execute = untilAborted;
  await bench.jobs.submit(submission('a'));
  await until(async () => (await stateOf('a')) === 'running');
  let load = (): void => undefined;
  bench.run = { ready: () => new Promise<void>((resolve) => (load = resolve)) };
  await restart();
  await wait(30);
  expect(await stateOf('a')).toBe('queued');
  bench.execute = succeed;
  load();
  expect(await bench.settled('a')).toMatchObject({ state: 'completed', attempts: 1 });
});

test('a tenant has no more at work than it may, and the others go on', async () => {
  const atWork = new Map<string, number>();
  let most = 0;
  bench.execute = async (job, context) => {
    const tenant = String(job.tenant);
    atWork.set(tenant, (atWork.get(tenant) ?? 0) + 1);
    if (tenant === 'acme') most = Math.max(most, atWork.get(tenant) ?? 0);
    await wait(5);
    atWork.set(tenant, (atWork.get(tenant) ?? 0) - 1);
    return succeed(job, context);
  };
  const mayRun: Claimant['mayRun'] = (tenant, running) => tenant !== 'acme' || running < 1;
  bench.run = { mayRun, concurrency: 4 };
  await restart();
  for (const id of ['a', 'b', 'c']) await bench.jobs.submit(submission(id));
  await bench.jobs.submit(submission('d', { tenant: 'other' }));
  await Promise.all(['a', 'b', 'c'].map((id) => bench.settled(id)));
  expect(await bench.settled('d', 'other')).toMatchObject({ state: 'completed' });
  expect(most).toBe(1);
});

test('a tenant whose minutes are used up while its job is opened keeps the job in the queue', async () => {
  let mayRun = true;
  bench.run = { mayRun: () => mayRun };
  await restart();
  bench.execute = async () => {
    mayRun = false;
    return { error: new SttError('QUOTA_EXCEEDED', 'Used up').toJSON() };
  };
  await bench.jobs.submit(submission('a'));
  await until(() => bench.lines.join('').includes('job queued again'));
  await wait(40);
  expect(await bench.jobs.get('acme', 'a')).toMatchObject({ state: 'queued', attempts: 0 });
  bench.execute = succeed;
  mayRun = true;
  expect(await bench.settled('a')).toMatchObject({ state: 'completed', attempts: 1 });
});

test('a job that was taken from this process and given to it again is finished, not cancelled', async () => {
  await restart({ config: configWith({ leaseMs: 60 }) });
  let runs = 0;
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  bench.execute = async (job, context) => {
    runs += 1;
    if (runs === 1) return untilAborted(job, context);
    await Promise.race([finished, untilAborted(job, context)]);
    return context.signal.aborted ? untilAborted(job, context) : succeed(job, context);
  };
  await bench.jobs.submit(submission('a'));
  await until(() => runs === 1);
  await bench.home.store.claims.recover(3, []); // as after a time in which nothing was renewed
  await until(() => runs === 2);
  await wait(50); // the leases are renewed by now: the first one is found lost
  finish();
  expect(await bench.settled('a')).toMatchObject({ state: 'completed' });
});

test('a result is kept until the database takes it, however often that fails', async () => {
  const database = await FaultyDatabase.open(join(bench.dataDir, 'faulty.db'));
  await restart({
    openStore: database.openStore,
    timing: { pollMs: 20, watchMs: 1, rerunMs: 1, progressMs: 0, storeRetryMs: 1 },
  });
  database.failNext(/SET state = \?1, output/, 25);
  await bench.jobs.submit(submission('a', { upload: bench.upload('x') }));
  expect(await bench.settled('a')).toMatchObject({ state: 'completed', attempts: 1 });
  expect(database.faultsLeft).toBe(0);
});

test('a job whose lease nobody holds runs again where nobody else could hold it', async () => {
  await bench.stop();
  bench.run = { ready: never };
  await bench.start({ timing: { pollMs: 20, watchMs: 1, rerunMs: 1, tidyMs: 20 } });
  await bench.jobs.submit(submission('a'));
  // A claim that was stored although it seemed to fail.
  await bench.home.store.claims.claim('lost', { volume: '', mayRun: () => true });
  await until(async () => (await stateOf('a')) === 'queued');
});

test('a job that was being taken when the process is told to stop goes back untouched', async () => {
  const database = await FaultyDatabase.open(join(bench.dataDir, 'faulty.db'));
  await restart({ openStore: database.openStore });
  let runs = 0;
  bench.execute = async () => {
    runs += 1;
    return failWith('AUDIO_EMPTY');
  };
  const taken = /INSERT INTO tenant_turns/;
  const release = database.hold(taken);
  await bench.jobs.submit(submission('a'));
  await until(() => database.isHolding(taken));
  const stopped = bench.home.stop(new AbortController().signal);
  release();
  await stopped;
  expect(runs).toBe(0);
  bench.execute = succeed;
  const again = await FaultyDatabase.open(join(bench.dataDir, 'faulty.db'));
  await bench.start({ openStore: again.openStore });
  expect(await bench.settled('a')).toMatchObject({ state: 'completed', attempts: 1 });
});

test('the recording of a job that may have been stored is kept for it', async () => {
  const database = await FaultyDatabase.open(join(bench.dataDir, 'faulty.db'));
  await restart({ openStore: database.openStore });
  database.failNext(/INSERT INTO jobs/, 1, 'commits and fails');
  const lost = bench.jobs.submit(submission('a', { upload: bench.upload('x') }));
  await expect(lost).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  let bytes: number | undefined;
  bench.execute = async (job, context) => {
    bytes = job.upload?.bytes;
    return succeed(job, context);
  };
  expect(await bench.settled('a')).toMatchObject({ state: 'completed' });
  expect(bytes).toBe(1);
});

test('a recording is removed also when another process has deleted its job', async () => {
  await bench.stop();
  bench.run = { ready: never };
  await bench.start({ timing: { pollMs: 20, watchMs: 1, rerunMs: 1, tidyMs: 20 } });
  await bench.jobs.submit(submission('a', { upload: bench.upload('x') }));
  expect(bench.storedUploads()).toHaveLength(1);
  await bench.home.store.jobs.delete('acme', 'a');
  await until(() => bench.storedUploads().length === 0);
});

test('a job that nobody can run in time fails and says so', async () => {
  bench.run = { ready: never };
  await restart({ config: configWith({ maxWaitMs: 30 }), timing: { tidyMs: 20, pollMs: 20 } });
  await bench.jobs.submit(submission('a', { upload: bench.upload('x') }));
  expect(await bench.settled('a')).toMatchObject({
    state: 'failed',
    output: { error: { code: 'QUEUE_TIMEOUT' } },
  });
  await until(() => bench.storedUploads().length === 0);
});

test('what waits is counted by tenant, so that one does not lock the others out', async () => {
  const tenant = { queuedJobs: 2, concurrentJobs: 1, storedUploadBytes: 1e6 };
  bench.execute = untilAborted;
  bench.run = { mayRun: (_, running) => running < 1 };
  await restart({ limitsOf: () => ({ ...LIMITS, maxQueued: 3, tenant }) });
  await bench.jobs.submit(submission('a'));
  await until(async () => (await stateOf('a')) === 'running');
  for (const id of ['b', 'c']) await bench.jobs.submit(submission(id));
  await expect(bench.jobs.submit(submission('d'))).rejects.toMatchObject({
    code: 'QUEUE_LIMITED',
  });
  const { view } = await bench.jobs.submit(submission('e', { tenant: 'other' }));
  expect(view.state).toBe('queued');
});
