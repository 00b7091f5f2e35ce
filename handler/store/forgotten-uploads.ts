import type { JobRow } from './job-row.ts';
import type { SqlDatabase, SqlQuery } from './sql-database.ts';

/**
 * Recordings that no job needs any more, noted together with the end of their job: whoever sees
 * the folder removes them, even if another process ended the job or died in between.
 */
export class ForgottenUploads {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  async add(query: SqlQuery, { upload_volume: volume, upload_name: name }: JobRow): Promise<void> {
    if (volume === null || name === null) return;
    await query(
      'INSERT INTO forgotten_uploads (volume, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING',
      [volume, name],
    );
  }

  /** Names in the folder with that mark. */
  async of(volume: string): Promise<readonly string[]> {
    const rows = await this.#database.query(
      'SELECT name FROM forgotten_uploads WHERE volume = ?1 LIMIT 1000',
      [volume],
    );
    return rows.map((row) => String(row['name']));
  }

  /** The file is gone. */
  async removed(volume: string, name: string): Promise<void> {
    await this.#database.query('DELETE FROM forgotten_uploads WHERE volume = ?1 AND name = ?2', [
      volume,
      name,
    ]);
  }
}
