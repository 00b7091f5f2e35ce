import { SttError } from '../../core/errors.ts';
import type { JobProgress } from '../job.ts';
import { type JobRow, toJobRow } from './job-row.ts';
import type { JobStore, Settlement } from './job-store.ts';
import type { SqlDatabase } from './sql-database.ts';

const ABANDONED: Settlement = {
  state: 'failed',
  output: {
    error: new SttError(
      'WORKER_LOST',
      'Every process that ran the job died in the middle',
    ).toJSON(),
  },
};

/**
 * The right to run jobs. A claim is a lease: whoever holds it may settle the job, once; when it is
 * not renewed in time, its holder is taken for dead and the job runs again.
 */
export class JobClaims {
  readonly #database: SqlDatabase;
  readonly #jobs: JobStore;
  readonly #leaseMs: number;

  constructor(database: SqlDatabase, jobs: JobStore, leaseMs: number) {
    this.#database = database;
    this.#jobs = jobs;
    this.#leaseMs = leaseMs;
  }

  /**
   * Takes the next job: of the tenant with the fewest running, then of the one served longest ago,
   * then the oldest. Jobs whose upload is in a folder that this process cannot see are left.
   */
  claim(lease: string, volume: string): Promise<JobRow | undefined> {
    const now = this.#database.now();
    return this.#database.transaction(async (query) => {
      const [row] = await query(
        `UPDATE jobs SET state = 'running', attempts = attempts + 1, lease = ?1, lease_until_ms = ?2,
           started_ms = COALESCE(started_ms, ?3), stage = NULL, fraction = NULL
         WHERE id = (
           SELECT candidate.id FROM jobs candidate
           LEFT JOIN (SELECT tenant, COUNT(*) AS jobs FROM jobs WHERE state = 'running'
                      GROUP BY tenant) busy ON busy.tenant = candidate.tenant
           LEFT JOIN tenant_turns served ON served.tenant = candidate.tenant
           WHERE candidate.state = 'queued' AND candidate.run_after_ms <= ?3
             AND (candidate.upload_volume IS NULL OR candidate.upload_volume = ?4)
           ORDER BY COALESCE(busy.jobs, 0), COALESCE(served.turn, 0), candidate.created_ms,
             candidate.id
           LIMIT 1 ${this.#database.skipLocked})
         RETURNING *`,
        [lease, now + this.#leaseMs, now, volume],
      );
      if (row === undefined) return undefined;
      await query(
        `INSERT INTO tenant_turns (tenant, turn)
         VALUES (?1, (SELECT COALESCE(MAX(turn), 0) + 1 FROM tenant_turns))
         ON CONFLICT (tenant) DO UPDATE SET turn = excluded.turn`,
        [String(row['tenant'])],
      );
      return toJobRow(row);
    });
  }

  /** Those of the leases that are still held: the others were cancelled, deleted or taken over. */
  async renew(leases: readonly string[]): Promise<ReadonlySet<string>> {
    if (leases.length === 0) return new Set();
    const places = leases.map((_, index) => `?${index + 2}`).join(', ');
    const rows = await this.#database.query(
      `UPDATE jobs SET lease_until_ms = ?1 WHERE lease IN (${places}) RETURNING lease`,
      [this.#database.now() + this.#leaseMs, ...leases],
    );
    return new Set(rows.map((row) => String(row['lease'])));
  }

  async saveProgress(lease: string, { stage, fraction }: JobProgress): Promise<void> {
    await this.#database.query('UPDATE jobs SET stage = ?1, fraction = ?2 WHERE lease = ?3', [
      stage,
      fraction,
      lease,
    ]);
  }

  /** Ends the job, once; undefined if the lease is lost. */
  settle(lease: string, settlement: Settlement): Promise<JobRow | undefined> {
    return this.#database.transaction((query) =>
      this.#jobs.settle(query, settlement, { condition: 'lease = ?5', parameters: [lease] }),
    );
  }

  /** Gives the job back to the queue, for the run after `delayMs`; a run that is not to count is unmade. */
  async release(lease: string, delayMs: number, isCounted: boolean): Promise<boolean> {
    const rows = await this.#database.query(
      `UPDATE jobs SET state = 'queued', lease = NULL, lease_until_ms = NULL, run_after_ms = ?1,
         attempts = attempts - ?2 WHERE lease = ?3 RETURNING id`,
      [this.#database.now() + delayMs, isCounted ? 0 : 1, lease],
    );
    return rows.length > 0;
  }

  /**
   * Queues the jobs of dead processes again, and fails those that were tried often enough. With
   * `all`, every running job counts: for the start of the only process.
   */
  recover(maxAttempts: number, all: boolean): Promise<{ queued: number; failed: number }> {
    const now = this.#database.now();
    const overdue = all ? now + Number.MAX_SAFE_INTEGER / 2 : now;
    return this.#database.transaction(async (query) => {
      const queued = await query(
        `UPDATE jobs SET state = 'queued', lease = NULL, lease_until_ms = NULL
         WHERE state = 'running' AND lease_until_ms <= ?1 AND attempts < ?2 RETURNING id`,
        [overdue, maxAttempts],
      );
      const lost = await query(
        `SELECT id FROM jobs candidate WHERE state = 'running' AND lease_until_ms <= ?1
         ${this.#database.skipLocked}`,
        [overdue],
      );
      for (const { id } of lost) {
        const chosen = { condition: `id = ?5 AND state = 'running'`, parameters: [String(id)] };
        await this.#jobs.settle(query, ABANDONED, chosen);
      }
      return { queued: queued.length, failed: lost.length };
    });
  }
}
