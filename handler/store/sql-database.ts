/** What a column may hold; drivers abort or guess on anything else (libsql: on booleans). */
export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, unknown>>;

/**
 * Runs one statement; parameters are `?1`, `?2`, … in both dialects. Without parameters it may be
 * a script of several, which answers nothing.
 */
export type SqlQuery = (
  statement: string,
  parameters?: readonly SqlValue[],
) => Promise<readonly SqlRow[]>;

/** A database that speaks the common part of SQLite and PostgreSQL. */
export interface SqlDatabase {
  readonly query: SqlQuery;
  /** All of `work` or nothing; it must use the query that it is given and wait for nothing else. */
  transaction<T>(work: (query: SqlQuery) => Promise<T>): Promise<T>;
  /** A statement that lets one process after the other migrate. */
  readonly lockMigrations: string | null;
  /** Inside a transaction: what is counted of the queue holds until its end. */
  lockQueue(query: SqlQuery): Promise<void>;
  /** Behind a `SELECT` that chooses a row to change: rows that another process chose are skipped. */
  readonly skipLocked: string;
  /** No other process can use the database, so whoever ran a job before us is dead. */
  readonly isExclusive: boolean;
  /** Milliseconds since 1970, the same for every process that shares the database. */
  now(): number;
  /** Removes what deleted rows leave in files, where that is in our hands. */
  purge(): Promise<void>;
  close(): Promise<void>;
}
