import pg from 'pg';
import { SttError } from '../../core/errors.ts';
import type { SqlDatabase, SqlQuery, SqlRow, SqlValue } from './sql-database.ts';

const MAX_CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 30_000;
const CLOCK_EVERY_MS = 60_000;
/** Any constant that no other application of the same database is likely to use. */
const MIGRATION_LOCK = 7_301_520_118;
const QUEUE_LOCK = 7_301_520_119;
const CLOCK = 'SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now_ms';

/** Counts and times are `BIGINT`, and far below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
};

/**
 * Connects to a database that several gateways share. Its clock counts, not theirs.
 * @throws {SttError} STORE_UNAVAILABLE
 */
export async function openPostgres(
  connectionString: string,
  onError: (error: Error) => void,
): Promise<SqlDatabase> {
  const pool = new pg.Pool({
    connectionString,
    types,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    application_name: 'stt-worker',
  });
  pool.on('error', onError); // an idle connection broke; the pool replaces it
  const database = new PostgresDatabase(pool);
  try {
    await database.readClock();
    return database;
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

class PostgresDatabase implements SqlDatabase {
  readonly lockMigrations = `SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`;
  readonly skipLocked = 'FOR UPDATE OF candidate SKIP LOCKED';
  readonly isExclusive = false;
  readonly #pool: pg.Pool;
  readonly #clock: NodeJS.Timeout;
  #aheadMs = 0;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
    this.#clock = setInterval(() => void this.readClock().catch(() => undefined), CLOCK_EVERY_MS);
    this.#clock.unref();
  }

  now(): number {
    return Math.round(Date.now() + this.#aheadMs);
  }

  async readClock(): Promise<void> {
    const askedMs = Date.now();
    const [row] = await this.query(CLOCK);
    this.#aheadMs = Number(row?.['now_ms']) - (askedMs + Date.now()) / 2;
  }

  readonly query: SqlQuery = async (statement, parameters) => {
    try {
      return await runOn(this.#pool, statement, parameters);
    } catch (thrown) {
      throw storeFailure(thrown);
    }
  };

  async transaction<T>(work: (query: SqlQuery) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((thrown: unknown) => {
      throw storeFailure(thrown);
    });
    let broken: Error | undefined;
    try {
      await client.query('BEGIN');
      const result = await work((statement, parameters) => runOn(client, statement, parameters));
      await client.query('COMMIT');
      return result;
    } catch (thrown) {
      await client.query('ROLLBACK').catch((error: Error) => {
        broken = error;
      });
      throw storeFailure(thrown);
    } finally {
      client.release(broken);
    }
  }

  async lockQueue(query: SqlQuery): Promise<void> {
    await query(`SELECT pg_advisory_xact_lock(${QUEUE_LOCK})`);
  }

  async purge(): Promise<void> {} // autovacuum's business

  async close(): Promise<void> {
    clearInterval(this.#clock);
    await this.#pool.end();
  }
}

async function runOn(
  client: Pick<pg.Pool, 'query'>,
  statement: string,
  parameters?: readonly SqlValue[],
): Promise<readonly SqlRow[]> {
  if (parameters === undefined) return (await client.query<SqlRow>(statement)).rows ?? [];
  return (await client.query<SqlRow>(statement.replace(/\?(\d+)/g, '$$$1'), [...parameters])).rows;
}

const storeFailure = (thrown: unknown): SttError =>
  thrown instanceof SttError
    ? thrown
    : new SttError('STORE_UNAVAILABLE', 'The database of DATABASE_URL failed', { cause: thrown });
