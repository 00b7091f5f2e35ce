import { z } from 'zod';
import type { SqlDatabase } from './sql-database.ts';

const DeliveryRow = z.object({
  id: z.string(),
  job_id: z.string(),
  tenant: z.string(),
  url: z.string(),
  attempts: z.number(),
});

/** A message on its way to a webhook; `id` is the same at every attempt. */
export interface Delivery {
  readonly id: string;
  readonly jobId: string;
  readonly tenant: string | null;
  readonly url: string;
  /** This one included. */
  readonly attempts: number;
}

/** What an attempt came to: done, given up, or to be tried again after `retryMs`. */
export interface DeliveryOutcome {
  readonly state: 'delivered' | 'failed' | 'pending';
  readonly status: number | null;
  readonly retryMs: number;
}

/** Deliveries that survive a restart; a settled job makes one in the same transaction. */
export class DeliveryStore {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  now(): number {
    return this.#database.now();
  }

  /**
   * Takes a delivery that is due: of the tenant with the fewest under way, and of at most
   * `maxOfTenant`, so that nobody waits for another's receivers. It is due again if nothing is
   * recorded in time.
   */
  async claim(
    lease: string,
    { leaseMs, maxOfTenant }: { readonly leaseMs: number; readonly maxOfTenant: number },
  ): Promise<Delivery | undefined> {
    const now = this.#database.now();
    const [found] = await this.#database.query(
      `UPDATE webhook_deliveries SET lease = ?1, next_attempt_ms = ?2, attempts = attempts + 1
       WHERE id = (SELECT candidate.id FROM webhook_deliveries candidate
         LEFT JOIN (SELECT tenant, COUNT(*) AS attempts FROM webhook_deliveries
                    WHERE state = 'pending' AND lease IS NOT NULL AND next_attempt_ms > ?3
                    GROUP BY tenant) busy ON busy.tenant = candidate.tenant
         WHERE candidate.state = 'pending' AND candidate.next_attempt_ms <= ?3
           AND (candidate.tenant = '' OR COALESCE(busy.attempts, 0) < ?4)
         ORDER BY COALESCE(busy.attempts, 0), candidate.next_attempt_ms, candidate.id
         LIMIT 1 ${this.#database.skipLocked})
       RETURNING *`,
      [lease, now + leaseMs, now, maxOfTenant],
    );
    if (found === undefined) return undefined;
    const { id, job_id: jobId, tenant, url, attempts } = DeliveryRow.parse(found);
    return { id, jobId, tenant: tenant || null, url, attempts };
  }

  /** For the start of the only process: attempts of a dead one are due now. */
  async recover(): Promise<void> {
    await this.#database.query(
      `UPDATE webhook_deliveries SET lease = NULL, next_attempt_ms = ?1
       WHERE state = 'pending' AND lease IS NOT NULL`,
      [this.#database.now()],
    );
  }

  /** No effect if another process has the delivery by now. */
  async record(lease: string, { state, status, retryMs }: DeliveryOutcome): Promise<void> {
    await this.#database.query(
      `UPDATE webhook_deliveries SET state = ?1, last_status = ?2, next_attempt_ms = ?3, lease = NULL
       WHERE lease = ?4`,
      [state, status, this.#database.now() + retryMs, lease],
    );
  }

  /** Milliseconds until one becomes due after `afterMs`; undefined if none will. */
  async nextDueMs(afterMs: number): Promise<number | undefined> {
    const [row] = await this.#database.query(
      `SELECT MIN(next_attempt_ms) AS due_ms FROM webhook_deliveries
       WHERE state = 'pending' AND next_attempt_ms > ?1`,
      [afterMs],
    );
    const due = row?.['due_ms'];
    return typeof due === 'number' ? Math.max(0, due - this.#database.now()) : undefined;
  }
}
