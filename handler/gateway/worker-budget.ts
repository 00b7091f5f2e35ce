import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { dayOf, type UsageStore } from '../store/usage-store.ts';
import { LimitExceeded } from '../tenants/limit-exceeded.ts';
import { secToMidnight } from '../tenants/usage-ledger.ts';

export interface BudgetParts {
  /** Undefined: no limit; it is counted all the same. */
  readonly maxSecPerDay: number | undefined;
  readonly usage: Pick<UsageStore, 'addWorkerTime' | 'workerSecOf'>;
  readonly logger: Logger;
  readonly now?: () => number;
}

/** What the jobs of a gateway may cost on workers in a day (UTC), and have. */
export class WorkerBudget {
  readonly maxSecPerDay: number | undefined;
  readonly #parts: BudgetParts;
  readonly #now: () => number;
  #day = '';
  #usedSec = 0;
  #writes: Promise<unknown> = Promise.resolve();

  private constructor(parts: BudgetParts) {
    this.maxSecPerDay = parts.maxSecPerDay;
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
  }

  /** @throws {SttError} STORE_UNAVAILABLE */
  static async open(parts: BudgetParts): Promise<WorkerBudget> {
    const budget = new WorkerBudget(parts);
    const day = budget.#today();
    budget.#usedSec = await parts.usage.workerSecOf(day);
    return budget;
  }

  get usedSec(): number {
    this.#today();
    return this.#usedSec;
  }

  get isLeft(): boolean {
    return this.maxSecPerDay === undefined || this.usedSec < this.maxSecPerDay;
  }

  /** @throws {LimitExceeded} BUDGET_EXCEEDED; what runs already is finished. */
  assertLeft(): void {
    if (this.isLeft) return;
    throw new LimitExceeded(
      'BUDGET_EXCEEDED',
      'The time on workers that this service may use in a day (UTC) is used up',
      secToMidnight(this.#now()),
    );
  }

  /** Counts at once, and in the database behind; what other gateways counted there is learnt. */
  spend(workerMs: number): void {
    if (workerMs <= 0) return;
    const day = this.#today();
    const workerSec = workerMs / 1000;
    this.#usedSec += workerSec;
    const { usage, logger } = this.#parts;
    this.#writes = this.#writes
      .then(async () => {
        await usage.addWorkerTime(day, workerSec);
        const storedSec = await usage.workerSecOf(day);
        if (day === this.#today()) this.#usedSec = Math.max(this.#usedSec, storedSec);
      })
      .catch((thrown: unknown) => {
        logger.warn({ err: SttError.from(thrown) }, 'usage not stored');
      });
  }

  #today(): string {
    const day = dayOf(this.#now());
    if (day !== this.#day) {
      this.#day = day;
      this.#usedSec = 0;
    }
    return day;
  }
}
