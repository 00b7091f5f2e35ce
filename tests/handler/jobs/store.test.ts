import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import type { JobOutput } from '../../../handler/run-job.ts';
import { migrate } from '../../../handler/store/migrate.ts';
import { openStore, type Store } from '../../../handler/store/open-store.ts';
import { openSqlite } from '../../../handler/store/sqlite-database.ts';
import { describeStores, LIMITS, newJob } from './store-kinds.ts';

const SETTINGS = { retentionMs: 60_000, leaseMs: 60_000 };
const LEASE = { leaseMs: 60_000, maxOfTenant: 2 };
const FAILED: JobOutput = { error: new SttError('AUDIO_EMPTY', 'No samples').toJSON() };

const folder = mkdtempSync(join(tmpdir(), 'stt-store-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fail = (error: Error): never => {
  throw error;
};

describeStores((bench, { isShared }) => {
  const { insert, claim } = bench;
  const reopen = bench.reopen.bind(bench);
  let store: Store;
  beforeEach(() => {
    store = bench.store;
  });

  test('keeps a job as it was given, for its tenant only, also after a restart', async () => {
    const { row, isNew } = await insert(newJob('a', { input: { prompt: "it's ?1" } }));
    expect(isNew).toBe(true);
    expect(row).toMatchObject({ state: 'queued', attempts: 0, output: null, finished_ms: null });
    await reopen();
    store = bench.store;
    expect(await store.jobs.get('acme', 'a')).toMatchObject(row);
    expect(await claim('lease')).toMatchObject({ id: 'a', input: { prompt: "it's ?1" } });
    expect(await store.jobs.get('other', 'a')).toBeUndefined();
    expect(await store.jobs.get(null, 'a')).toBeUndefined();
    expect(await store.jobs.cancel('other', 'a')).toBe(false);
    expect(await store.jobs.delete('other', 'a')).toBeUndefined();
    expect(await store.jobs.list('other', 10)).toEqual([]);
  });

  test('answers a repeated key with the first job, and refuses it for other contents', async () => {
    const idempotency = { key: 'k', fingerprint: 'f' };
    await insert(newJob('a', { idempotency }));
    const replay = await insert(newJob('b', { idempotency }));
    expect(replay).toMatchObject({ isNew: false, row: { id: 'a' } });
    const other = newJob('c', { idempotency: { key: 'k', fingerprint: 'g' } });
    await expect(insert(other)).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    const ofOther = await insert(newJob('d', { tenant: 'other', idempotency }));
    expect(ofOther.isNew).toBe(true);
  });

  test('makes one job of requests with the same key at the same time', async () => {
    const idempotency = { key: 'k', fingerprint: 'f' };
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd'].map((id) => insert(newJob(id, { idempotency }))),
    );
    expect(answers.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(answers.map(({ row }) => row.id)).size).toBe(1);
  });

  test('refuses more waiting jobs than allowed', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await insert(newJob(id));
    await expect(insert(newJob('f'))).rejects.toMatchObject({ code: 'SERVICE_BUSY' });
  });

  test('hands out jobs in turn between tenants, each once', async () => {
    for (const id of ['a1', 'a2', 'a3']) await insert(newJob(id));
    for (const id of ['b1', 'b2']) await insert(newJob(id, { tenant: 'b' }));
    const order: (string | undefined)[] = [];
    for (let turn = 0; turn < 6; turn += 1) {
      order.push((await claim(`lease-${turn}`))?.id);
    }
    expect(order).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', undefined]);
  });

  test('takes turns also when one job runs at a time', async () => {
    for (const id of ['a1', 'a2', 'a3']) await insert(newJob(id));
    await insert(newJob('b1', { tenant: null }));
    const order: (string | undefined)[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      order.push((await claim(`lease-${turn}`))?.id);
      await store.claims.settle(`lease-${turn}`, { state: 'failed', output: FAILED });
    }
    expect(order).toEqual(['a1', 'b1', 'a2', 'a3']);
  });

  test('gives a job to no two of many that ask at once', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await insert(newJob(id));
    const claimFrom = (start: number) =>
      Promise.all(Array.from({ length: 8 }, (_, index) => claim(`lease-${start + index}`)));
    const first = await claimFrom(0);
    const rest = await claimFrom(8);
    const ids = [...first, ...rest].flatMap((row) => (row ? [row.id] : []));
    expect(ids.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('leaves jobs whose upload is elsewhere', async () => {
    const upload = { name: 'x/y', bytes: 3, volume: 'there' };
    await insert(newJob('a', { upload }));
    expect(await claim('lease', 'here')).toBeUndefined();
    expect(await store.jobs.uploadsInUse('there')).toEqual(new Set(['x/y']));
    expect(await claim('lease', 'there')).toMatchObject({ id: 'a' });
  });

  test('lets the holder of the lease settle a job, once', async () => {
    await insert(newJob('a', { webhookUrl: 'https://example.com/hook' }));
    await claim('lease');
    await store.claims.saveProgress('lease', { stage: 'transcribe', fraction: 0.5 });
    expect(await store.jobs.get('acme', 'a')).toMatchObject({ stage: 'transcribe', fraction: 0.5 });
    const settlement = { state: 'failed', output: FAILED } as const;
    expect(await store.claims.settle('another', settlement)).toBeUndefined();
    expect(await store.claims.settle('lease', settlement)).toMatchObject({ id: 'a' });
    expect(await store.claims.settle('lease', settlement)).toBeUndefined();
    expect(await store.jobs.cancel('acme', 'a')).toBe(false);
    expect(await store.claims.release('lease', 0, true)).toBe(false);
    expect(await store.jobs.get('acme', 'a')).toMatchObject({
      state: 'failed',
      output: FAILED,
      webhook_state: 'pending',
    });
    expect(await store.jobs.list('acme', 10)).toMatchObject([{ id: 'a', output: null }]);
  });

  test('takes a cancelled or deleted job away from whoever runs it', async () => {
    for (const id of ['a', 'b', 'c']) {
      await insert(newJob(id));
      await claim(`lease-${id}`);
    }
    expect(await store.jobs.cancel('acme', 'a')).toBe(true);
    expect(await store.jobs.delete('acme', 'b')).toMatchObject({ id: 'b', state: 'running' });
    const held = await store.claims.renew(['lease-a', 'lease-b', 'lease-c']);
    expect(held).toEqual(new Set(['lease-c']));
    const counts = { queued: 0, running: 1, completed: 0, failed: 0, cancelled: 1 };
    expect(await store.jobs.countByState()).toEqual(counts);
  });

  test('queues the jobs of the dead again, a limited number of times', async () => {
    await reopen({ leaseMs: 0 });
    store = bench.store;
    await insert(newJob('a', { webhookUrl: 'https://example.com/hook' }));
    await claim('first');
    expect(await store.claims.recover(2, null)).toEqual({ queued: 1, failed: 0 });
    expect(await store.claims.settle('first', { state: 'failed', output: FAILED })).toBeUndefined();
    expect(await claim('second')).toMatchObject({ id: 'a', attempts: 2 });
    expect(await store.claims.recover(2, null)).toEqual({ queued: 0, failed: 1 });
    const error = { code: 'WORKER_LOST' };
    const lost = { state: 'failed', output: { error }, webhook_state: 'pending' };
    expect(await store.jobs.get('acme', 'a')).toMatchObject(lost);
  });

  test('leaves the jobs of the living alone, unless nobody else can be alive', async () => {
    await insert(newJob('a'));
    await claim('lease');
    expect(await store.claims.recover(3, null)).toEqual({ queued: 0, failed: 0 });
    expect(await store.claims.recover(3, [])).toEqual({ queued: 1, failed: 0 });
  });

  test('gives a job back for later, and may forget that it was tried', async () => {
    await insert(newJob('a'));
    await claim('lease');
    expect(await store.claims.release('lease', 0, false)).toBe(true);
    expect(await claim('again')).toMatchObject({ id: 'a', attempts: 1 });
    await store.claims.release('again', 60_000, true);
    expect(await claim('later')).toBeUndefined();
  });

  test('forgets settled jobs when their time is over, and no others', async () => {
    await reopen({ retentionMs: -1 });
    store = bench.store;
    await insert(newJob('a'));
    await insert(newJob('b'));
    await store.jobs.cancel('acme', 'a');
    expect(await store.jobs.expire()).toBe(1);
    expect(await store.jobs.list('acme', 10)).toMatchObject([{ id: 'b' }]);
  });

  test('hands out a delivery when it is due, and records what became of it', async () => {
    await insert(newJob('a', { webhookUrl: 'https://example.com/hook' }));
    expect(await store.deliveries.nextDueMs(0)).toBeUndefined();
    await store.jobs.cancel('acme', 'a');
    expect(await store.deliveries.claim('one', LEASE)).toEqual({
      id: 'msg_a',
      jobId: 'a',
      tenant: 'acme',
      url: 'https://example.com/hook',
      attempts: 1,
    });
    expect(await store.deliveries.claim('two', LEASE)).toBeUndefined();
    await store.deliveries.record('one', { state: 'pending', status: 500, retryMs: 0 });
    expect(await store.deliveries.claim('two', LEASE)).toMatchObject({ attempts: 2 });
    await store.deliveries.record('one', { state: 'failed', status: 500, retryMs: 0 });
    await store.deliveries.record('two', { state: 'delivered', status: 204, retryMs: 0 });
    expect(await store.jobs.get('acme', 'a')).toMatchObject({
      webhook_state: 'delivered',
      webhook_attempts: 2,
      webhook_status: 204,
    });
    await store.jobs.delete('acme', 'a');
    expect(await store.deliveries.nextDueMs(0)).toBeUndefined();
  });

  if (isShared) {
    test('may be opened by several processes at once', async () => {
      const stores = await Promise.all([1, 2, 3].map(() => openStore(bench.settings, fail)));
      await stores[0]!.jobs.insert(newJob('a'), LIMITS);
      expect(await stores[2]!.jobs.get('acme', 'a')).toBeDefined();
      await Promise.all(stores.map((each) => each.close()));
    });
  }

  test('sums usage by tenant and day', async () => {
    const day = '2026-11-24';
    await store.usage.add('acme', day, { jobs: 1, audioSec: 1.5 });
    await store.usage.add('acme', day, { jobs: 1, audioSec: 2 });
    await store.usage.add(null, day, { jobs: 7, audioSec: 0 });
    await store.usage.add('acme', '2026-11-25', { jobs: 1, audioSec: 1 });
    const used = await store.usage.ofDay(day);
    expect(used.get('acme')).toEqual({ jobs: 2, audioSec: 3.5 });
    expect(used.get(null)).toEqual({ jobs: 7, audioSec: 0 });
    expect(used.size).toBe(2);
  });
});

test('a second process is told that DATA_DIR is taken', async () => {
  const path = join(folder, 'taken.db');
  const first = await openSqlite(path);
  const second = openSqlite(path, { openTimeoutMs: 0 });
  await expect(second).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await first.close();
  await (await openSqlite(path, { openTimeoutMs: 0 })).close();
});

test('a DATA_DIR that cannot be made is told by name', async () => {
  const settings = { ...SETTINGS, dataDir: '/dev/null/data', databaseUrl: undefined };
  const message = 'DATA_DIR cannot be created';
  await expect(openStore(settings, fail)).rejects.toMatchObject({ message });
});

test('nothing of a deleted result is left in the files', async () => {
  const dataDir = join(folder, 'canary');
  const store = await openStore({ ...SETTINGS, dataDir, databaseUrl: undefined }, fail);
  const holds = (): boolean =>
    ['jobs.db', 'jobs.db-wal'].some((name) => readFileSync(join(dataDir, name)).includes('c4nary'));
  await store.jobs.insert(newJob('a', { input: { prompt: 'c4nary '.repeat(2000) } }), LIMITS);
  expect(holds()).toBe(true);
  await store.jobs.delete('acme', 'a');
  expect(holds()).toBe(false);
  await store.close();
});

test('tables of a newer program are refused', async () => {
  const database = await openSqlite(join(folder, 'newer.db'));
  await migrate(database);
  await database.query('INSERT INTO schema_migrations VALUES (?1)', [99]);
  await expect(migrate(database)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await database.close();
});
