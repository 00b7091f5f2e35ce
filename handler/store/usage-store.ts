import { tenantColumn } from './job-row.ts';
import type { SqlDatabase, SqlQuery } from './sql-database.ts';

export interface Usage {
  readonly requests: number;
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

  /** Asynchronous jobs count their audio themselves when they are completed. */
  add(tenant: string | null, used: Usage): Promise<void> {
    const day = dayOf(this.#database.now());
    return addUsage(this.#database.query, tenantColumn(tenant), day, used);
  }

  /** Of today, unless another day is named. */
  async get(tenant: string | null, day = dayOf(this.#database.now())): Promise<Usage> {
    const [row] = await this.#database.query(
      'SELECT requests, audio_sec FROM usage WHERE tenant = ?1 AND day = ?2',
      [tenantColumn(tenant), day],
    );
    return {
      requests: Number(row?.['requests'] ?? 0),
      audioSec: Number(row?.['audio_sec'] ?? 0),
    };
  }
}

export async function addUsage(
  query: SqlQuery,
  tenant: string,
  day: string,
  { requests, audioSec }: Usage,
): Promise<void> {
  await query(
    `INSERT INTO usage (tenant, day, requests, audio_sec) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT (tenant, day) DO UPDATE SET requests = usage.requests + excluded.requests,
       audio_sec = usage.audio_sec + excluded.audio_sec`,
    [tenant, day, requests, audioSec],
  );
}
