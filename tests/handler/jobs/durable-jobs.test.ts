import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import type { ServiceJob } from '../../../handler/jobs/contracts.ts';
import {
  collect,
  failWith,
  JobsBench,
  LIMITS,
  submission,
  succeed,
  until,
  untilAborted,
} from './jobs-bench.ts';

const bench = new JobsBench();
beforeEach(() => bench.reset());
afterEach(() => bench.stop());
afterAll(() => bench.remove());

test('a job with a recording is run, answered and cleaned up', async () => {
  const { path, bytes } = bench.upload('recording');
  let seen: ServiceJob | undefined;
  bench.execute = (job, context) => {
    seen = job;
    expect(existsSync(job.upload!.path)).toBe(true);
    return succeed(job, context);
  };
  const { view, replayed } = await bench.jobs.submit(submission('a', { upload: { path, bytes } }));
  rmSync(path);
  expect({ replayed, state: view.state }).toEqual({ replayed: false, state: 'queued' });
  expect(await bench.settled('a')).toMatchObject({
    state: 'completed',
    attempts: 1,
    output: { transcript: 'And so my fellow Americans' },
    expiresAtMs: expect.any(Number),
  });
  expect(seen).toMatchObject({ id: 'a', tenant: 'acme', upload: { bytes } });
  await until(() => bench.storedUploads().length === 0);
});

test('the recordings of two tenants lie in different folders', async () => {
  const folders: string[] = [];
  bench.execute = async ({ upload: file }) => {
    folders.push(join(file!.path, '..'));
    return failWith('AUDIO_EMPTY');
  };
  await bench.jobs.submit(submission('a', { upload: bench.upload('1') }));
  await bench.jobs.submit(submission('b', { upload: bench.upload('1'), tenant: 'other' }));
  await Promise.all([bench.settled('a'), bench.settled('b', 'other')]);
  expect(new Set(folders).size).toBe(2);
});

test('another tenant finds, cancels, deletes and watches nothing', async () => {
  bench.execute = untilAborted;
  await bench.jobs.submit(submission('a'));
  expect(await bench.jobs.get('other', 'a')).toBeUndefined();
  expect(await bench.jobs.cancel('other', 'a')).toBeUndefined();
  expect(await bench.jobs.delete('other', 'a')).toBe(false);
  expect(await bench.jobs.list('other', 10)).toEqual({ views: [], cursor: null });
  expect(await bench.eventsOf('a', 'other')).toEqual([]);
  expect(await bench.jobs.get('acme', 'a')).toMatchObject({
    state: expect.stringMatching(/ing|queued/),
  });
});

test('a repeated key answers the first job, whatever the order of fields and name of the file', async () => {
  const first = submission('a', {
    idempotencyKey: 'k',
    upload: bench.upload('same'),
    input: { x: 1, y: 2 },
  });
  const again = submission('b', {
    idempotencyKey: 'k',
    upload: bench.upload('same'),
    input: { y: 2, x: 1 },
  });
  const other = submission('c', {
    idempotencyKey: 'k',
    upload: bench.upload('other'),
    input: { x: 1, y: 2 },
  });
  await bench.jobs.submit(first);
  expect(await bench.jobs.submit(again)).toMatchObject({ replayed: true, view: { id: 'a' } });
  await expect(bench.jobs.submit(other)).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  expect(existsSync(other.job.upload!.path)).toBe(true);
  await bench.settled('a');
  await until(() => bench.storedUploads().length === 0);
});

test('a running job is cancelled at once, and its executor told', async () => {
  let reason: unknown;
  bench.execute = async (job, context) => {
    const output = await untilAborted(job, context);
    reason = context.signal.reason;
    return output;
  };
  await bench.jobs.submit(submission('a', { upload: bench.upload('x') }));
  await until(async () => (await bench.jobs.get('acme', 'a'))?.state === 'running');
  const cancelled = await bench.jobs.cancel('acme', 'a');
  expect(cancelled).toMatchObject({
    state: 'cancelled',
    output: { error: { code: 'JOB_CANCELLED' } },
  });
  await until(() => reason !== undefined);
  expect(reason).toMatchObject({ code: 'JOB_CANCELLED' });
  expect(bench.storedUploads()).toEqual([]);
  expect(await bench.jobs.cancel('acme', 'a')).toEqual(await bench.jobs.get('acme', 'a'));
});

test('a deleted job is gone with its recording, even while it runs', async () => {
  bench.execute = untilAborted;
  await bench.jobs.submit(submission('a', { upload: bench.upload('x') }));
  await until(async () => (await bench.jobs.get('acme', 'a'))?.state === 'running');
  const watched = bench.eventsOf('a');
  expect(await bench.jobs.delete('acme', 'a')).toBe(true);
  expect(await bench.jobs.get('acme', 'a')).toBeUndefined();
  expect(bench.storedUploads()).toEqual([]);
  expect((await watched).map(({ type }) => type)).not.toContain('settled');
});

test('a watcher sees states, progress, every segment once, and the end', async () => {
  const segment = (start: number) => ({ start, end: start + 1, text: 'word', confidence: 1 });
  bench.execute = async (job, context) => {
    for (let index = 0; index < 5; index += 1) {
      context.onProgress({ stage: 'transcribe', fraction: index / 5 });
      context.onSegments?.([segment(index)]);
      await wait(5);
    }
    return succeed(job, context);
  };
  await bench.jobs.submit(submission('a'));
  const events = await bench.eventsOf('a');
  const segments = events.flatMap((event) => (event.type === 'segments' ? event.segments : []));
  expect(segments.length).toBeGreaterThan(0);
  expect(segments).toEqual(segments.map((_, index) => segment(index)));
  expect(events.at(-1)).toMatchObject({ type: 'settled', view: { state: 'completed' } });
  expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['state', 'progress']));
});

test('a watcher that gives up is let go', async () => {
  bench.execute = untilAborted;
  await bench.jobs.submit(submission('a'));
  const events = await collect(bench.jobs.watch('acme', 'a', AbortSignal.timeout(30)));
  expect(events.map(({ type }) => type)).not.toContain('settled');
});

test('a crash of the engine is tried again, a bad recording is not', async () => {
  const runs: string[] = [];
  bench.execute = async ({ id }) => {
    runs.push(id);
    return failWith(id === 'bad' ? 'AUDIO_EMPTY' : 'ENGINE_CRASHED');
  };
  await bench.jobs.submit(submission('bad'));
  await bench.jobs.submit(submission('crash'));
  expect(await bench.settled('bad')).toMatchObject({ state: 'failed', attempts: 1 });
  expect(await bench.settled('crash')).toMatchObject({ state: 'failed', attempts: 3 });
  expect(runs.toSorted()).toEqual(['bad', 'crash', 'crash', 'crash']);
});

test('a job that a shutdown interrupts runs again after the start, as if for the first time', async () => {
  bench.execute = untilAborted;
  await bench.jobs.submit(submission('a', { upload: bench.upload('x') }));
  await until(async () => (await bench.jobs.get('acme', 'a'))?.state === 'running');
  await bench.stop();
  bench.execute = succeed;
  await bench.start();
  expect(await bench.settled('a')).toMatchObject({ state: 'completed', attempts: 1 });
});

test('audio inside JSON and full queues are refused, and leave no file behind', async () => {
  const large = submission('a', { input: { audio_base64: 'A'.repeat(2 ** 21) } });
  await expect(bench.jobs.submit(large)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  await bench.stop();
  await bench.start({ limitsOf: () => ({ ...LIMITS, maxQueued: 0, places: 0 }) });
  const refused = bench.jobs.submit(submission('b', { upload: bench.upload('x') }));
  await expect(refused).rejects.toMatchObject({ code: 'SERVICE_BUSY' });
  expect(bench.storedUploads()).toEqual([]);
});

test('files that no job needs are removed at the start', async () => {
  await bench.stop();
  writeFileSync(join(bench.dataDir, 'uploads', 'stray'), '');
  const tenantFolder = join(bench.dataDir, 'uploads', '0123456789abcdef');
  mkdirSync(tenantFolder);
  writeFileSync(join(tenantFolder, 'orphan'), 'x');
  await bench.start();
  expect(bench.storedUploads()).toEqual(['stray']);
});

test('audio that was counted for a tenant is known after a restart', async () => {
  const used = (audioSec: number) => ({ jobs: 1, audioSec });
  bench.home.ledger.add('acme', used(90));
  bench.home.ledger.add('acme', used(1.5));
  bench.home.ledger.add('other', used(5));
  await bench.stop();
  await bench.start();
  expect(bench.home.ledger.audioSecToday('acme')).toBe(91.5);
  expect(bench.home.ledger.audioSecToday('other')).toBe(5);
});
