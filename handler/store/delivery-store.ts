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

  /** Takes the delivery that is due longest; it is due again if nothing is recorded in time. */
  async claim(lease: string, leaseMs: number): Promise<Delivery | undefined> {
    const now = this.#database.now();
    const [found] = await this.#database.query(
      `UPDATE webhook_deliveries SET lease = ?1, next_attempt_ms = ?2, attempts = attempts + 1
       WHERE id = (SELECT candidate.id FROM webhook_deliveries candidate
         WHERE candidate.state = 'pending' AND candidate.next_attempt_ms <= ?3
         ORDER BY candidate.next_attempt_ms, candidate.id LIMIT 1 ${this.#database.skipLocked})
       RETURNING *`,
      [lease, now + leaseMs, now],
    );
    if (found === undefined) return undefined;
    const { id, job_id: jobId, tenant, url, attempts } = DeliveryRow.parse(found);
    return { id, jobId, tenant: tenant || null, url, attempts };
  }

  /** No effect if another process has the delivery by now. */
  async record(lease: string, { state, status, retryMs }: DeliveryOutcome): Promise<void> {
    await this.#database.query(
      `UPDATE webhook_deliveries SET state = ?1, last_status = ?2, next_attempt_ms = ?3, lease = NULL
       WHERE lease = ?4`,
      [state, status, this.#database.now() + retryMs, lease],
    );
  }

  /** Milliseconds until the next one is due; undefined if none waits. */
  async nextDueMs(): Promise<number | undefined> {
    const [row] = await this.#database.query(
      `SELECT MIN(next_attempt_ms) AS due_ms FROM webhook_deliveries WHERE state = 'pending'`,
    );
    const due = row?.['due_ms'];
    return typeof due === 'number' ? Math.max(0, due - this.#database.now()) : undefined;
  }
}
