import { SttError } from '../../core/errors.ts';
import type { JobProgress } from '../job.ts';
import { type ClaimedJob, type JobRow, tenantOf, toClaimedJob } from './job-row.ts';
import type { JobStore, Settlement } from './job-store.ts';
import type { SqlDatabase, SqlQuery } from './sql-database.ts';

const failed = (code: 'WORKER_LOST' | 'QUEUE_TIMEOUT', message: string): Settlement => ({
  state: 'failed',
  output: { error: new SttError(code, message).toJSON() },
});
const ABANDONED = failed('WORKER_LOST', 'Every process that ran the job died in the middle');
const OVERDUE = failed('QUEUE_TIMEOUT', 'Nobody could run the job within JOB_MAX_WAIT_HOURS');

/** What a process may take from the queue. */
export interface Claimant {
  /** The mark of the folder whose uploads it sees. */
  readonly volume: string;
  /** Whether another job of the tenant may run beside those that run in all processes. */
  readonly mayRun: (tenant: string | null, running: number) => boolean;
}

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
   * then the oldest. Left are tenants at their limits, and jobs whose upload is in a folder that this
   * process cannot see.
   */
  claim(lease: string, { volume, mayRun }: Claimant): Promise<ClaimedJob | undefined> {
    const now = this.#database.now();
    return this.#database.transaction(async (query) => {
      await this.#database.lockQueue(query);
      const waiting = await tenantsInTurn(query, now, volume);
      const next = waiting.find(({ tenant, running }) => mayRun(tenantOf(tenant), running));
      if (next === undefined) return undefined;
      const [row] = await query(
        `UPDATE jobs SET state = 'running', attempts = attempts + 1, lease = ?1, lease_until_ms = ?2,
           started_ms = COALESCE(started_ms, ?3), stage = NULL, fraction = NULL
         WHERE id = (
           SELECT candidate.id FROM jobs candidate
           WHERE candidate.tenant = ?5 AND ${claimable(3, 4)}
           ORDER BY candidate.created_ms, candidate.id LIMIT 1 ${this.#database.skipLocked})
         RETURNING *`,
        [lease, now + this.#leaseMs, now, volume, next.tenant],
      );
      if (row === undefined) return undefined;
      await query(
        `INSERT INTO tenant_turns (tenant, turn)
         VALUES (?1, (SELECT COALESCE(MAX(turn), 0) + 1 FROM tenant_turns))
         ON CONFLICT (tenant) DO UPDATE SET turn = excluded.turn`,
        [next.tenant],
      );
      return toClaimedJob(row);
    });
  }

  /** Those of the leases that are still held: the others were cancelled, deleted or taken over. */
  async renew(leases: readonly string[]): Promise<ReadonlySet<string>> {
    if (leases.length === 0) return new Set();
    const rows = await this.#database.query(
      `UPDATE jobs SET lease_until_ms = ?1 WHERE lease IN (${placesFrom(2, leases)})
       RETURNING lease`,
      [this.#database.now() + this.#leaseMs, ...leases],
    );
    return new Set(rows.map((row) => String(row['lease'])));
  }

  /** Whether the job still waits or runs, with whomever. */
  async isUnsettled(id: string): Promise<boolean> {
    const rows = await this.#database.query(
      `SELECT id FROM jobs WHERE id = ?1 AND state IN ('queued', 'running')`,
      [id],
    );
    return rows.length > 0;
  }

  async saveProgress(lease: string, { stage, fraction }: JobProgress): Promise<void> {
    await this.#database.query('UPDATE jobs SET stage = ?1, fraction = ?2 WHERE lease = ?3', [
      stage,
      fraction,
      lease,
    ]);
  }

  /** Where the job runs, so that whoever takes over looks there first; null: nowhere any more. */
  async saveRemoteId(lease: string, remoteId: string | null): Promise<void> {
    const parameters = [remoteId, lease];
    await this.#database.query('UPDATE jobs SET remote_id = ?1 WHERE lease = ?2', parameters);
  }

  /** The audio of the job was counted for its tenant; who runs it again must not. */
  async saveCounted(lease: string, audioSec: number): Promise<void> {
    const parameters = [audioSec, lease];
    await this.#database.query('UPDATE jobs SET counted_sec = ?1 WHERE lease = ?2', parameters);
  }

  /** Ends the job, once; undefined if the lease is lost. */
  settle(lease: string, settlement: Settlement): Promise<JobRow | undefined> {
    return this.#database.transaction((query) =>
      this.#jobs.settle(query, settlement, { condition: 'lease = ?5', parameters: [lease] }),
    );
  }

  /**
   * Gives the job back to the queue, for the run after `delayMs`; a run that is not to count is
   * unmade. What it counted of the tenant's audio has been given back too.
   */
  async release(lease: string, delayMs: number, isCounted: boolean): Promise<boolean> {
    const rows = await this.#database.query(
      `UPDATE jobs SET state = 'queued', lease = NULL, lease_until_ms = NULL, counted_sec = NULL,
         run_after_ms = ?1, attempts = attempts - ?2 WHERE lease = ?3 RETURNING id`,
      [this.#database.now() + delayMs, isCounted ? 0 : 1, lease],
    );
    return rows.length > 0;
  }

  /**
   * Queues the jobs of dead processes again, and fails those that were tried often enough.
   * @param held where nobody else can hold a lease: those of this process, all others are dead's.
   * Null: a lease that was not renewed in time is a dead process's.
   */
  recover(
    maxAttempts: number,
    held: readonly string[] | null,
  ): Promise<{ queued: number; failed: number }> {
    const now = this.#database.now();
    const isDead = held === null ? 'lease_until_ms <= ?1' : isNoneOf(held);
    const parameters = [now, maxAttempts, ...(held ?? [])];
    return this.#database.transaction(async (query) => {
      const queued = await query(
        `UPDATE jobs SET state = 'queued', lease = NULL, lease_until_ms = NULL
         WHERE state = 'running' AND attempts < ?2 AND ${isDead} RETURNING id`,
        parameters,
      );
      const lost = await query(
        `SELECT id FROM jobs candidate WHERE state = 'running' AND attempts >= ?2 AND ${isDead}
         ${this.#database.skipLocked}`,
        parameters,
      );
      for (const { id } of lost) await this.#end(query, String(id), 'running', ABANDONED);
      return { queued: queued.length, failed: lost.length };
    });
  }

  /** Fails the jobs that have waited longer than that, and returns how many. */
  failOverdue(maxWaitMs: number): Promise<number> {
    return this.#database.transaction(async (query) => {
      const overdue = await query(
        `SELECT id FROM jobs candidate WHERE state = 'queued' AND created_ms <= ?1
         ${this.#database.skipLocked}`,
        [this.#database.now() - maxWaitMs],
      );
      for (const { id } of overdue) await this.#end(query, String(id), 'queued', OVERDUE);
      return overdue.length;
    });
  }

  async #end(
    query: SqlQuery,
    id: string,
    state: 'queued' | 'running',
    settlement: Settlement,
  ): Promise<void> {
    const chosen = { condition: `id = ?5 AND state = '${state}'`, parameters: [id] };
    await this.#jobs.settle(query, settlement, chosen);
  }
}

/** Given the numbers of the parameters with the time and with the folder. */
const claimable = (time: number, folder: number): string =>
  `candidate.state = 'queued' AND candidate.run_after_ms <= ?${time}
   AND (candidate.upload_volume IS NULL OR candidate.upload_volume = ?${folder})`;

/** Tenants with a job that may run, in the order in which they are to be served. */
async function tenantsInTurn(
  query: SqlQuery,
  now: number,
  volume: string,
): Promise<readonly { readonly tenant: string; readonly running: number }[]> {
  const rows = await query(
    `SELECT waiting.tenant, COALESCE(busy.jobs, 0) AS running
     FROM (SELECT tenant, MIN(created_ms) AS oldest_ms FROM jobs candidate
           WHERE ${claimable(1, 2)} GROUP BY tenant) waiting
     LEFT JOIN (SELECT tenant, COUNT(*) AS jobs FROM jobs WHERE state = 'running'
                GROUP BY tenant) busy ON busy.tenant = waiting.tenant
     LEFT JOIN tenant_turns served ON served.tenant = waiting.tenant
     ORDER BY COALESCE(busy.jobs, 0), COALESCE(served.turn, 0), waiting.oldest_ms, waiting.tenant`,
    [now, volume],
  );
  return rows.map((row) => ({ tenant: String(row['tenant']), running: Number(row['running']) }));
}

/** Parameters from that number on, for `IN`. */
const placesFrom = (first: number, values: readonly string[]): string =>
  values.map((_, index) => `?${index + first}`).join(', ');

/** A lease that is none of those behind the two first parameters. */
const isNoneOf = (held: readonly string[]): string =>
  `CAST(?1 AS BIGINT) >= 0${held.length > 0 ? ` AND lease NOT IN (${placesFrom(3, held)})` : ''}`;
