import { readdir, readFile } from 'node:fs/promises';
import { SttError } from '../../core/errors.ts';
import type { SqlDatabase } from './sql-database.ts';

const FOLDER = new URL('./migrations/', import.meta.url);
const FILE_NAME = /^(?<version>\d{4})-[\w-]+\.sql$/;

/**
 * Brings the tables to the version of this program; several processes may do so at once.
 * @param mayBeNew false where the database has had tables before.
 * @throws {SttError} STORE_UNAVAILABLE if a newer program wrote them, or if they are gone.
 */
export async function migrate(database: SqlDatabase, mayBeNew = true): Promise<void> {
  const files = (await readdir(FOLDER)).filter((name) => FILE_NAME.test(name)).toSorted();
  await database.transaction(async (query) => {
    if (database.lockMigrations !== null) await query(database.lockMigrations);
    await query('CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY)');
    const [row] = await query('SELECT MAX(version) AS version FROM schema_migrations');
    const current = Number(row?.['version'] ?? 0);
    if (current === 0 && !mayBeNew) {
      throw new SttError(
        'STORE_UNAVAILABLE',
        'The database is empty and was not: put it back, or empty DATA_DIR to begin anew',
      );
    }
    if (current > files.length) {
      throw new SttError(
        'STORE_UNAVAILABLE',
        `The database has version ${current}, this program knows ${files.length}`,
      );
    }
    for (const name of files.slice(current)) {
      await query(await readFile(new URL(name, FOLDER), 'utf8'));
      await query('INSERT INTO schema_migrations VALUES (?1)', [Number(name.slice(0, 4))]);
    }
  });
}
