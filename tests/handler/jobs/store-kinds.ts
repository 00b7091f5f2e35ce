import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest';
import type { QueueLimits } from '../../../handler/jobs/queue-room.ts';
import type { NewJob } from '../../../handler/store/job-store.ts';
import { openStore, type Store, type StoreSettings } from '../../../handler/store/open-store.ts';
import { type PostgresServer, postgresMissing, startPostgres } from './postgres-server.ts';

export const LIMITS: QueueLimits = { maxQueued: 5, places: 0, maxUploadBytes: 1e6, tenant: null };

export const newJob = (id: string, more: Partial<NewJob> = {}): NewJob => ({
  id,
  tenant: 'acme',
  input: { language: 'ko' },
  upload: null,
  webhookUrl: null,
  idempotency: null,
  requestId: null,
  ...more,
});

const fail = (error: Error): never => {
  throw error;
};

/** A new, empty store for each test, on whichever database. */
export class StoreBench {
  store!: Store;
  settings!: StoreSettings;

  readonly insert = (job: NewJob, limits = LIMITS) => this.store.jobs.insert(job, limits);

  readonly claim = (lease: string, volume = 'volume', mayRun = (): boolean => true) =>
    this.store.claims.claim(lease, { volume, mayRun });

  async open(settings: StoreSettings): Promise<void> {
    this.settings = settings;
    this.store = await openStore(settings, fail);
  }

  async reopen(more: Partial<StoreSettings> = {}): Promise<void> {
    await this.store.close();
    this.store = await openStore({ ...this.settings, ...more }, fail);
  }
}

/** Both databases, so far as they can be had here. */
export function describeStores(
  define: (bench: StoreBench, about: { readonly isShared: boolean }) => void,
): void {
  const folder = mkdtempSync(join(tmpdir(), 'stt-store-test-'));
  let postgres: PostgresServer | undefined;
  beforeAll(async () => {
    if (postgresMissing === undefined) postgres = await startPostgres();
  });
  afterAll(async () => {
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const kinds = [
    { kind: 'SQLite', missing: undefined, databaseUrl: () => undefined },
    {
      kind: 'PostgreSQL',
      missing: postgresMissing,
      databaseUrl: () => postgres?.createDatabase(),
    },
  ];
  describe.each(kinds)('a store on $kind', ({ kind, missing, databaseUrl }) => {
    if (missing !== undefined) {
      test.skip(`is not tested: ${missing}`, () => undefined);
      return;
    }
    const bench = new StoreBench();
    beforeEach(async () => {
      const kept = { retentionMs: 60_000, leaseMs: 60_000 };
      const dataDir = join(folder, randomUUID());
      await bench.open({ ...kept, dataDir, databaseUrl: databaseUrl() });
      return () => bench.store.close();
    });
    define(bench, { isShared: kind === 'PostgreSQL' });
  });
}
