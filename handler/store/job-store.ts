import { SttError } from '../../core/errors.ts';
import { JOB_STATES, type JobState } from '../jobs/contracts.ts';
import { assertRoomInQueue, type QueueLimits } from '../jobs/queue-room.ts';
import type { JobOutput } from '../run-job.ts';
import { ForgottenUploads } from './forgotten-uploads.ts';
import type { JobPosition } from './job-position.ts';
import { type JobRow, LIST_COLUMNS, tenantColumn, toJobRow } from './job-row.ts';
import { countsOf } from './queue-counts.ts';
import type { SqlDatabase, SqlQuery } from './sql-database.ts';

export interface NewJob {
  readonly id: string;
  readonly tenant: string | null;
  readonly input: Readonly<Record<string, unknown>>;
  /** A file of the upload folder with that mark. */
  readonly upload: {
    readonly name: string;
    readonly bytes: number;
    readonly volume: string;
  } | null;
  readonly webhookUrl: string | null;
  readonly idempotency: { readonly key: string; readonly fingerprint: string } | null;
  /** The request that brought it, for the log. */
  readonly requestId: string | null;
  /** Seconds of its audio that are counted already. */
  readonly countedSec?: number | null;
}

export interface Settlement {
  readonly state: Extract<JobState, 'completed' | 'failed' | 'cancelled'>;
  readonly output: JobOutput;
}

const CANCELLED: Settlement = {
  state: 'cancelled',
  output: { error: new SttError('JOB_CANCELLED', 'The job was cancelled').toJSON() },
};

/** What the caller sent may be large and is for who runs the job only. */
const WITH_WEBHOOK = `SELECT jobs.id, jobs.tenant, jobs.state, upload_name, upload_bytes,
  upload_volume, fingerprint, request_id, stage, fraction, output, jobs.attempts,
  jobs.created_ms, started_ms, finished_ms, expires_ms, d.state AS webhook_state,
  d.attempts AS webhook_attempts, d.last_status AS webhook_status
  FROM jobs LEFT JOIN webhook_deliveries d ON d.job_id = jobs.id`;

/** Jobs as their tenants see them. What runs them is `JobClaims`. */
export class JobStore {
  readonly forgotten: ForgottenUploads;
  readonly #database: SqlDatabase;
  readonly #retentionMs: number;
  #lastCreatedMs = 0;

  /** `retentionMs`: how long a settled job is kept. */
  constructor(database: SqlDatabase, { retentionMs }: { readonly retentionMs: number }) {
    this.forgotten = new ForgottenUploads(database);
    this.#database = database;
    this.#retentionMs = retentionMs;
  }

  /**
   * Adds the job, or returns the one that was made with the same key and fingerprint before.
   * @throws {SttError} IDEMPOTENCY_CONFLICT, QUEUE_LIMITED, SERVICE_BUSY
   */
  insert(
    job: NewJob,
    limits: QueueLimits,
  ): Promise<{ readonly row: JobRow; readonly isNew: boolean }> {
    return this.#database.transaction(async (query) => {
      await this.#database.lockQueue(query);
      const before = await findReplay(query, job);
      if (before !== undefined) return { row: before, isNew: false };
      const counts = await countsOf(query, tenantColumn(job.tenant));
      assertRoomInQueue(counts, job.upload?.bytes ?? 0, limits);
      const [row] = await query(
        `INSERT INTO jobs (id, tenant, state, input, upload_name, upload_bytes, upload_volume,
           webhook_url, idempotency_key, fingerprint, request_id, counted_sec, run_after_ms, created_ms)
         VALUES (?1, ?2, 'queued', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12)
         RETURNING ${LIST_COLUMNS}`,
        [
          job.id,
          tenantColumn(job.tenant),
          JSON.stringify(job.input),
          job.upload?.name ?? null,
          job.upload?.bytes ?? null,
          job.upload?.volume ?? null,
          job.webhookUrl,
          job.idempotency?.key ?? null,
          job.idempotency?.fingerprint ?? null,
          job.requestId,
          job.countedSec ?? null,
          this.#nextCreatedMs(),
        ],
      );
      return { row: toJobRow(row ?? {}), isNew: true };
    });
  }

  async get(tenant: string | null, id: string): Promise<JobRow | undefined> {
    const [row] = await this.#database.query(
      `${WITH_WEBHOOK} WHERE jobs.id = ?1 AND jobs.tenant = ?2`,
      [id, tenantColumn(tenant)],
    );
    return row && toJobRow(row);
  }

  /** Newest first, without outputs, those behind `after`. */
  async list(
    tenant: string | null,
    limit: number,
    after: JobPosition | null = null,
  ): Promise<readonly JobRow[]> {
    const { createdMs, id } = after ?? { createdMs: Number.MAX_SAFE_INTEGER, id: '' };
    const rows = await this.#database.query(
      `SELECT ${LIST_COLUMNS} FROM jobs WHERE tenant = ?1
         AND (created_ms < ?2 OR (created_ms = ?2 AND id < ?3))
       ORDER BY created_ms DESC, id DESC LIMIT ?4`,
      [tenantColumn(tenant), createdMs, id, limit],
    );
    return rows.map(toJobRow);
  }

  /** Settles the job as cancelled unless it is settled already; true if this call did it. */
  cancel(tenant: string | null, id: string): Promise<boolean> {
    return this.#database.transaction(async (query) => {
      const condition = `id = ?5 AND tenant = ?6 AND state IN ('queued', 'running')`;
      const settled = await this.settle(query, CANCELLED, {
        condition,
        parameters: [id, tenantColumn(tenant)],
      });
      return settled !== undefined;
    });
  }

  /** The job as it was; it is gone with its result and its deliveries. */
  async delete(tenant: string | null, id: string): Promise<JobRow | undefined> {
    const row = await this.#database.transaction(async (query) => {
      const [found] = await query(
        `DELETE FROM jobs WHERE id = ?1 AND tenant = ?2 RETURNING ${LIST_COLUMNS}`,
        [id, tenantColumn(tenant)],
      );
      const deleted = found && toJobRow(found);
      if (deleted) await this.forgotten.add(query, deleted);
      return deleted;
    });
    if (row !== undefined) await this.#database.purge();
    return row;
  }

  /** Removes what has been kept long enough, and returns how many. */
  async expire(): Promise<number> {
    const rows = await this.#database.query(
      'DELETE FROM jobs WHERE expires_ms <= ?1 RETURNING id',
      [this.#database.now()],
    );
    if (rows.length > 0) await this.#database.purge();
    return rows.length;
  }

  async countByState(): Promise<Readonly<Record<JobState, number>>> {
    const rows = await this.#database.query(
      'SELECT state, COUNT(*) AS jobs FROM jobs GROUP BY state',
    );
    const counts = { queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0 };
    for (const state of JOB_STATES) {
      counts[state] = Number(rows.find((row) => row['state'] === state)?.['jobs'] ?? 0);
    }
    return counts;
  }

  /** Names of files of that upload folder that an unsettled job still needs. */
  async uploadsInUse(volume: string): Promise<ReadonlySet<string>> {
    const rows = await this.#database.query(
      `SELECT upload_name FROM jobs WHERE upload_volume = ?1 AND state IN ('queued', 'running')`,
      [volume],
    );
    return new Set(rows.map((row) => String(row['upload_name'])));
  }

  /**
   * Ends the job that `condition` chooses, its parameters counting from `?5`, and announces it to
   * its webhook. What the caller sent is forgotten: URLs, prompts, embedded audio.
   */
  async settle(
    query: SqlQuery,
    { state, output }: Settlement,
    chosen: { readonly condition: string; readonly parameters: readonly string[] },
  ): Promise<JobRow | undefined> {
    const now = this.#database.now();
    const [found] = await query(
      `UPDATE jobs SET state = ?1, output = ?2, finished_ms = ?3, expires_ms = ?4, input = '{}',
         lease = NULL, lease_until_ms = NULL, remote_id = NULL
       WHERE ${chosen.condition} RETURNING ${LIST_COLUMNS}, webhook_url`,
      [state, JSON.stringify(output), now, now + this.#retentionMs, ...chosen.parameters],
    );
    if (found === undefined) return undefined;
    const row = toJobRow(found);
    await this.forgotten.add(query, row);
    const { webhook_url: url } = found;
    if (typeof url !== 'string') return row;
    await query(
      `INSERT INTO webhook_deliveries (id, job_id, tenant, url, state, next_attempt_ms, created_ms)
       VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?5)`,
      [`msg_${row.id}`, row.id, row.tenant, url, now],
    );
    return row;
  }

  /** Jobs of one process have an order, however fast they come. */
  #nextCreatedMs(): number {
    this.#lastCreatedMs = Math.max(this.#lastCreatedMs + 1, this.#database.now());
    return this.#lastCreatedMs;
  }
}

async function findReplay(query: SqlQuery, job: NewJob): Promise<JobRow | undefined> {
  if (job.idempotency === null) return undefined;
  const [found] = await query(`${WITH_WEBHOOK} WHERE jobs.tenant = ?1 AND idempotency_key = ?2`, [
    tenantColumn(job.tenant),
    job.idempotency.key,
  ]);
  if (found === undefined) return undefined;
  const row = toJobRow(found);
  if (row.fingerprint === job.idempotency.fingerprint) return row;
  throw new SttError(
    'IDEMPOTENCY_CONFLICT',
    'The idempotency key was used for a request with other contents',
  );
}
