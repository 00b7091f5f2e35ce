import { chmodSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import Database from 'libsql';
import { SttError } from '../../core/errors.ts';
import type { SqlDatabase, SqlQuery, SqlRow, SqlValue } from './sql-database.ts';

const OPEN_RETRY_MS = 250;

export interface SqliteOptions {
  /** How long to wait for a predecessor that still holds the file. */
  readonly openTimeoutMs?: number;
  readonly now?: () => number;
}

/**
 * Opens the file for this process alone: the kernel frees the lock however the process ends, so a
 * successor knows that running jobs are orphans. Commits reach the disk before they return
 * (`synchronous=FULL`, 3 ms), because a `202` is a promise.
 * @throws {SttError} STORE_UNAVAILABLE while another process holds the file.
 */
export async function openSqlite(path: string, options: SqliteOptions = {}): Promise<SqlDatabase> {
  const { openTimeoutMs = 10_000, now = Date.now } = options;
  const endsAtMs = performance.now() + openTimeoutMs;
  for (;;) {
    try {
      return new SqliteDatabase(openExclusively(path), now);
    } catch (thrown) {
      if (performance.now() > endsAtMs || !isBusy(thrown)) throw openFailure(thrown);
      await wait(OPEN_RETRY_MS);
    }
  }
}

function openExclusively(path: string): Database.Database {
  const connection = new Database(path, { timeout: 100 });
  try {
    // The mode first: without it WAL would need shared memory, which network volumes lack.
    for (const pragma of [
      'locking_mode = EXCLUSIVE',
      'journal_mode = WAL',
      'synchronous = FULL',
      'foreign_keys = ON',
      'secure_delete = ON',
    ]) {
      connection.prepare(`PRAGMA ${pragma}`).all();
    }
    connection.exec('BEGIN IMMEDIATE; COMMIT');
    chmodSync(path, 0o600);
    return connection;
  } catch (thrown) {
    connection.close();
    throw thrown;
  }
}

const codeOf = (thrown: unknown): unknown =>
  thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;

const isBusy = (thrown: unknown): boolean => codeOf(thrown) === 'SQLITE_BUSY';

const openFailure = (thrown: unknown): SttError =>
  new SttError(
    'STORE_UNAVAILABLE',
    isBusy(thrown)
      ? 'Another process uses DATA_DIR; give each its own, or share a DATABASE_URL'
      : 'The database in DATA_DIR could not be opened',
    { cause: thrown },
  );

/** What the file or its disk causes; anything else, such as wrong SQL, is ours and stays as it is. */
const STORAGE_FAILURE =
  /^SQLITE_(?:BUSY|LOCKED|READONLY|IOERR|CORRUPT|CANTOPEN|PROTOCOL|NOTADB|NOMEM|INTERRUPT)/;

function storeFailure(thrown: unknown): unknown {
  const code = codeOf(thrown);
  if (typeof code !== 'string') return thrown;
  if (code.startsWith('SQLITE_FULL')) {
    return new SttError('DISK_FULL', 'The disk of DATA_DIR is full', { cause: thrown });
  }
  if (!STORAGE_FAILURE.test(code)) return thrown;
  return new SttError('STORE_UNAVAILABLE', 'The database in DATA_DIR failed', { cause: thrown });
}

/** One connection; callers take turns, so that nobody's statement falls into a transaction. */
class SqliteDatabase implements SqlDatabase {
  readonly lockMigrations = null;
  readonly skipLocked = '';
  readonly isExclusive = true;
  readonly now: () => number;
  readonly #connection: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(connection: Database.Database, now: () => number) {
    this.#connection = connection;
    this.now = now;
  }

  readonly query: SqlQuery = (statement, parameters) =>
    this.#inTurn(async () => this.#run(statement, parameters));

  transaction<T>(work: (query: SqlQuery) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      this.#connection.exec('BEGIN IMMEDIATE');
      try {
        const result = await work(async (statement, parameters) =>
          this.#run(statement, parameters),
        );
        this.#connection.exec('COMMIT');
        return result;
      } catch (thrown) {
        if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK');
        throw thrown;
      }
    });
  }

  /** `BEGIN IMMEDIATE` lets one transaction after the other in. */
  async lockQueue(): Promise<void> {}

  async purge(): Promise<void> {
    await this.query('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      // libsql frees a connection when its statements are collected; the lock must not wait for that.
      for (const pragma of ['journal_mode = DELETE', 'locking_mode = NORMAL', 'user_version']) {
        this.#connection.prepare(`PRAGMA ${pragma}`).all();
      }
      this.#connection.close();
    });
  }

  #run(statement: string, parameters?: readonly SqlValue[]): readonly SqlRow[] {
    if (parameters === undefined && /;\s*\S/.test(statement)) {
      this.#connection.exec(statement);
      return [];
    }
    let prepared = this.#statements.get(statement);
    if (prepared === undefined) {
      prepared = this.#connection.prepare(statement);
      if (parameters !== undefined) this.#statements.set(statement, prepared);
    }
    return prepared.all(...(parameters ?? [])).map(asRow);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work).catch((thrown: unknown) => {
      throw storeFailure(thrown);
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

function asRow(row: unknown): SqlRow {
  if (typeof row !== 'object' || row === null) throw new TypeError('A row is not an object');
  return { ...row };
}
