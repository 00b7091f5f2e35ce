import { createHash } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SttError } from '../../core/errors.ts';
import { DeliveryStore } from './delivery-store.ts';
import { JobClaims } from './job-claims.ts';
import { JobStore } from './job-store.ts';
import { migrate } from './migrate.ts';
import { openPostgres } from './postgres-database.ts';
import type { SqlDatabase } from './sql-database.ts';
import { openSqlite } from './sqlite-database.ts';
import { UsageStore } from './usage-store.ts';

export interface StoreSettings {
  /** Holds the database of a single process, and uploads. */
  readonly dataDir: string;
  /** A PostgreSQL that several processes share instead. */
  readonly databaseUrl: string | undefined;
  /** How long a settled job is kept. */
  readonly retentionMs: number;
  /** How long a silent process keeps its jobs before others take them over. */
  readonly leaseMs: number;
}

/** All that survives a restart, with one connection behind it. */
export interface Store {
  readonly jobs: JobStore;
  readonly claims: JobClaims;
  readonly deliveries: DeliveryStore;
  readonly usage: UsageStore;
  /** Nobody else can be running its jobs. */
  readonly isExclusive: boolean;
  close(): Promise<void>;
}

/**
 * Opens the database, bringing its tables up to date.
 * @throws {SttError} STORE_UNAVAILABLE
 */
export async function openStore(
  settings: StoreSettings,
  onError: (error: Error) => void,
): Promise<Store> {
  const { dataDir, databaseUrl } = settings;
  await mkdir(dataDir, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new SttError('STORE_UNAVAILABLE', 'DATA_DIR cannot be created', { cause });
  });
  const database =
    databaseUrl === undefined
      ? await openSqlite(join(dataDir, 'jobs.db'))
      : await openPostgres(databaseUrl, onError);
  try {
    const marker = join(dataDir, markerOf(databaseUrl));
    const isKnown = await access(marker).then(
      () => true,
      () => false,
    );
    await migrate(database, !isKnown);
    if (!isKnown) await writeFile(marker, '', { mode: 0o600 });
    return storeOn(database, settings);
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

/**
 * A file that says that the database has had its tables. One that was emptied would pass for a new one,
 * and the recordings of its jobs for files that belong to nobody.
 */
function markerOf(databaseUrl: string | undefined): string {
  if (databaseUrl === undefined) return 'jobs.db.created';
  const withoutPassword = databaseUrl.replace(/\/\/[^@/]*@/, '//');
  const digest = createHash('sha256').update(withoutPassword).digest('hex');
  return `postgres-${digest.slice(0, 12)}.created`;
}

/** The stores on a database with up-to-date tables. */
export function storeOn(
  database: SqlDatabase,
  settings: Pick<StoreSettings, 'retentionMs' | 'leaseMs'>,
): Store {
  const jobs = new JobStore(database, settings);
  return {
    jobs,
    claims: new JobClaims(database, jobs, settings.leaseMs),
    deliveries: new DeliveryStore(database),
    usage: new UsageStore(database),
    isExclusive: database.isExclusive,
    close: () => database.close(),
  };
}
