import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLogger } from '../../../core/logger.ts';
import type { QueueLimits } from '../../../handler/jobs/queue-room.ts';
import { DurableUsageLedger } from '../../../handler/store/durable-usage-ledger.ts';
import { openSqlite } from '../../../handler/store/sqlite-database.ts';
import { FaultyDatabase } from '../../fakes/faulty-database.ts';
import { describeStores, LIMITS, newJob } from './store-kinds.ts';

/** What tenants share in the database, and what of it is kept for other processes. */
const TENANT: QueueLimits['tenant'] = {
  queuedJobs: 2,
  concurrentJobs: 1,
  storedUploadBytes: 100,
};
const OF_TENANT = { ...LIMITS, places: 1, tenant: TENANT };
const upload = (name: string, bytes = 3) => ({ name, bytes, volume: 'there' });

describeStores((bench) => {
  test('a tenant that is at its limit is passed over, and the next one served', async () => {
    const { insert, claim } = bench;
    for (const id of ['a1', 'a2']) await insert(newJob(id));
    await insert(newJob('b1', { tenant: 'b' }));
    const mayRun = (tenant: string | null, running: number) => tenant !== 'acme' || running < 1;
    const claimed = async (lease: string) =>
      (await bench.store.claims.claim(lease, { volume: 'v', mayRun }))?.id;
    expect(await claimed('1')).toBe('a1');
    expect(await claimed('2')).toBe('b1');
    expect(await claimed('3')).toBeUndefined();
    await bench.store.jobs.cancel('acme', 'a1');
    expect(await claimed('4')).toBe('a2');
    expect(await claim('5')).toBeUndefined();
  });

  test('what waits is counted with the insertion, also for those that come together', async () => {
    const { insert, claim } = bench;
    await insert(newJob('a0'), OF_TENANT);
    await claim('lease');
    const ids = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'];
    const all = await Promise.allSettled(ids.map((id) => insert(newJob(id), OF_TENANT)));
    const refused = all.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(4);
    expect(refused[0]).toMatchObject({ reason: { code: 'QUEUE_LIMITED' } });
    expect((await insert(newJob('b1', { tenant: 'b' }), OF_TENANT)).isNew).toBe(true);
  });

  test('bytes of recordings count until their job has settled', async () => {
    const { insert } = bench;
    await insert(newJob('a', { upload: upload('x', 90) }), OF_TENANT);
    const next = () => insert(newJob('b', { upload: upload('y', 11) }), OF_TENANT);
    await expect(next()).rejects.toMatchObject({ code: 'QUEUE_LIMITED' });
    await bench.store.jobs.cancel('acme', 'a');
    expect((await next()).isNew).toBe(true);
  });

  test('a recording whose job ended elsewhere is told to whoever sees its folder, until removed', async () => {
    const { insert, claim, store } = bench;
    for (const id of ['a', 'b', 'c']) {
      await insert(newJob(id, { upload: upload(`x/${id}`) }));
      await claim(`lease-${id}`, 'there');
    }
    await store.jobs.delete('acme', 'a');
    await store.jobs.cancel('acme', 'b');
    expect(await store.jobs.forgotten.of('elsewhere')).toEqual([]);
    expect((await store.jobs.forgotten.of('there')).toSorted()).toEqual(['x/a', 'x/b']);
    await store.jobs.forgotten.removed('there', 'x/a');
    await store.jobs.delete('acme', 'b');
    expect(await store.jobs.forgotten.of('there')).toEqual(['x/b']);
  });

  test('a job that waits for a folder that never comes back fails in the end', async () => {
    const { insert, store } = bench;
    await insert(newJob('a', { upload: upload('x'), webhookUrl: 'https://example.com/' }));
    expect(await store.claims.failOverdue(60_000)).toBe(0);
    expect(await store.claims.failOverdue(-1)).toBe(1);
    expect(await store.jobs.get('acme', 'a')).toMatchObject({
      state: 'failed',
      output: { error: { code: 'QUEUE_TIMEOUT', retryable: true } },
      webhook_state: 'pending',
    });
    expect(await store.jobs.forgotten.of('there')).toEqual(['x']);
  });

  test('whoever takes a job over learns where it ran and what was counted', async () => {
    const { insert, claim, store } = bench;
    await insert(newJob('a', { requestId: 'request-1' }));
    await claim('first');
    await store.claims.saveRemoteId('first', 'remote-1');
    await store.claims.saveCounted('first', 12.5);
    await store.claims.recover(3, []);
    const again = { remote_id: 'remote-1', counted_sec: 12.5, request_id: 'request-1' };
    expect(await claim('second')).toMatchObject(again);
    await store.claims.release('second', 0, true);
    expect(await claim('third')).toMatchObject({ remote_id: 'remote-1', counted_sec: null });
    await store.claims.saveRemoteId('second', 'stale');
    expect(await store.claims.recover(3, ['third'])).toEqual({ queued: 0, failed: 0 });
  });

  test('a list goes on where it ended, whatever came or went in between', async () => {
    const { insert, store } = bench;
    for (const id of ['a', 'b', 'c', 'd']) await insert(newJob(id));
    const [first, second] = await store.jobs.list('acme', 2);
    expect([first?.id, second?.id]).toEqual(['d', 'c']);
    await insert(newJob('e'));
    await store.jobs.delete('acme', 'c');
    const after = { createdMs: second?.created_ms ?? 0, id: 'c' };
    expect(await store.jobs.list('acme', 9, after)).toMatchObject([{ id: 'b' }, { id: 'a' }]);
    expect(await store.jobs.list('other', 9, after)).toEqual([]);
  });

  test('receivers of one tenant do not take the places of all, and what a dead process sent is due', async () => {
    const { insert, store } = bench;
    const webhookUrl = 'https://example.com/hook';
    for (const id of ['a1', 'a2', 'a3']) await insert(newJob(id, { webhookUrl }));
    await insert(newJob('b1', { tenant: 'b', webhookUrl }));
    for (const id of ['a1', 'a2', 'a3']) await store.jobs.cancel('acme', id);
    await store.jobs.cancel('b', 'b1');
    const LEASE = { leaseMs: 60_000, maxOfTenant: 2 };
    const order: (string | undefined)[] = [];
    for (const lease of ['1', '2', '3', '4']) {
      order.push((await store.deliveries.claim(lease, LEASE))?.jobId);
    }
    expect(order).toEqual(['a1', 'b1', 'a2', undefined]);
    const now = store.deliveries.now();
    expect(await store.deliveries.nextDueMs(now)).toBeGreaterThan(50_000);
    await store.deliveries.record('1', { state: 'delivered', status: 200, retryMs: 0 });
    expect(await store.deliveries.claim('5', LEASE)).toMatchObject({ jobId: 'a3' });
    await store.deliveries.recover();
    expect(await store.deliveries.claim('6', LEASE)).toMatchObject({ attempts: 2 });
  });

  test('what workers cost is summed by day, and old days are forgotten', async () => {
    const { usage } = bench.store;
    await usage.addWorkerTime('2026-11-24', 1.5);
    await usage.addWorkerTime('2026-11-24', 2);
    await usage.add('acme', '2025-01-01', { jobs: 1, audioSec: 1 });
    expect(await usage.workerSecOf('2026-11-24')).toBe(3.5);
    expect(await usage.workerSecOf('2026-11-25')).toBe(0);
    await usage.expire('2026-01-01');
    expect((await usage.ofDay('2025-01-01')).size).toBe(0);
  });
});

test('a full disk is DISK_FULL, what else fails below SQLite STORE_UNAVAILABLE, wrong SQL neither', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stt-full-'));
  const database = await openSqlite(join(folder, 'full.db'));
  await database.query('CREATE TABLE t (x TEXT)');
  await database.query('PRAGMA max_page_count = 3');
  const fill = 'INSERT INTO t VALUES (?1)';
  const large = 'x'.repeat(100_000);
  await expect(database.query(fill, [large])).rejects.toMatchObject({ code: 'DISK_FULL' });
  const inside = database.transaction((query) => query(fill, [large]));
  await expect(inside).rejects.toMatchObject({ code: 'DISK_FULL' });
  await database.query('PRAGMA query_only = ON');
  const refused = database.query('DELETE FROM t');
  await expect(refused).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await expect(database.query('SELEC 1')).rejects.toMatchObject({ code: 'SQLITE_ERROR' });
  await database.query('PRAGMA query_only = OFF');
  await database.close();
  rmSync(folder, { recursive: true });
});

test('audio that is counted while the database is read, or cannot be written, is not forgotten', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stt-ledger-'));
  const database = await FaultyDatabase.open(join(folder, 'ledger.db'));
  const { usage } = await database.openStore({
    dataDir: folder,
    databaseUrl: undefined,
    retentionMs: 0,
    leaseMs: 0,
  });
  const lines: string[] = [];
  const logger = createLogger('warn', { write: (line: string) => void lines.push(line) });
  const ledger = await DurableUsageLedger.open(usage, { logger, refreshMs: 5 });
  const read = /SELECT tenant, jobs/;
  const release = database.hold(read);
  await expect.poll(() => database.isHolding(read)).toBe(true);
  ledger.add('acme', { jobs: 1, audioSec: 10 });
  expect(ledger.audioSecToday('acme')).toBe(10);
  database.failNext(/INSERT INTO usage/, 2);
  release();
  await expect.poll(() => database.faultsLeft).toBe(0);
  expect(ledger.audioSecToday('acme')).toBe(10);
  ledger.add('acme', { jobs: 1, audioSec: 5 });
  await expect.poll(() => lines.length).toBe(2);
  await ledger.close();
  expect(ledger.audioSecToday('acme')).toBe(15);
  const [today] = [...(await usage.ofDay(new Date().toISOString().slice(0, 10))).values()];
  expect(today).toEqual({ jobs: 2, audioSec: 15 });
  await database.close();
  rmSync(folder, { recursive: true });
});
