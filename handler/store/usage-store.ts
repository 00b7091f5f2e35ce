import { tenantColumn } from './job-row.ts';
import type { SqlDatabase } from './sql-database.ts';

export interface Usage {
  readonly jobs: number;
  readonly audioSec: number;
}

/** A day of UTC, as `2026-11-24`. */
export const dayOf = (timeMs: number): string => new Date(timeMs).toISOString().slice(0, 10);

/** What tenants used, by day; it outlives jobs, their deletion and restarts. */
export class UsageStore {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  /** Adds to what is stored, whoever else adds at the same time. */
  async add(tenant: string | null, day: string, { jobs, audioSec }: Usage): Promise<void> {
    await this.#database.query(
      `INSERT INTO usage (tenant, day, jobs, audio_sec) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (tenant, day) DO UPDATE SET jobs = usage.jobs + excluded.jobs,
         audio_sec = usage.audio_sec + excluded.audio_sec`,
      [tenantColumn(tenant), day, jobs, audioSec],
    );
  }

  /** Of every tenant that used something that day. */
  async ofDay(day: string): Promise<ReadonlyMap<string | null, Usage>> {
    const rows = await this.#database.query(
      'SELECT tenant, jobs, audio_sec FROM usage WHERE day = ?1',
      [day],
    );
    return new Map(
      rows.map((row) => [
        String(row['tenant']) || null,
        { jobs: Number(row['jobs']), audioSec: Number(row['audio_sec']) },
      ]),
    );
  }

  /** Forgets what was used before that day. */
  async expire(day: string): Promise<void> {
    await this.#database.query('DELETE FROM usage WHERE day < ?1', [day]);
    await this.#database.query('DELETE FROM worker_time WHERE day < ?1', [day]);
  }

  /** Adds to what the jobs of a gateway cost on workers. */
  async addWorkerTime(day: string, workerSec: number): Promise<void> {
    await this.#database.query(
      `INSERT INTO worker_time (day, jobs, worker_sec) VALUES (?1, 1, ?2)
       ON CONFLICT (day) DO UPDATE SET jobs = worker_time.jobs + 1,
         worker_sec = worker_time.worker_sec + excluded.worker_sec`,
      [day, workerSec],
    );
  }

  async workerSecOf(day: string): Promise<number> {
    const rows = await this.#database.query('SELECT worker_sec FROM worker_time WHERE day = ?1', [
      day,
    ]);
    return Number(rows[0]?.['worker_sec'] ?? 0);
  }
}
