import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { UsageLedger } from '../tenants/usage-ledger.ts';
import { dayOf, type UsageStore } from './usage-store.ts';

export interface LedgerOptions {
  readonly logger: Logger;
  /** How often what other processes counted is read. */
  readonly refreshMs: number;
  readonly now?: () => number;
}

/**
 * Answers at once from memory and writes behind: a crash loses what was counted in the last
 * moments, never a day. What others count with the same database is known after `refreshMs`.
 */
export class DurableUsageLedger implements UsageLedger {
  readonly #store: UsageStore;
  readonly #options: LedgerOptions;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #day = '';
  #audioSec = new Map<string, number>();
  #writes: Promise<unknown> = Promise.resolve();

  private constructor(store: UsageStore, options: LedgerOptions) {
    this.#store = store;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#timer = setInterval(() => this.#inOrder(() => this.#read()), options.refreshMs);
    this.#timer.unref();
  }

  /** @throws {SttError} STORE_UNAVAILABLE */
  static async open(store: UsageStore, options: LedgerOptions): Promise<DurableUsageLedger> {
    const ledger = new DurableUsageLedger(store, options);
    await ledger.#read();
    return ledger;
  }

  audioSecToday(tenantId: string): number {
    return this.#today().get(tenantId) ?? 0;
  }

  add(tenantId: string, audioSec: number): void {
    const today = this.#today();
    today.set(tenantId, (today.get(tenantId) ?? 0) + audioSec);
    const day = this.#day;
    this.#inOrder(() => this.#store.add(tenantId, day, { jobs: 1, audioSec }));
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writes;
  }

  async #read(): Promise<void> {
    const day = dayOf(this.#now());
    const stored = await this.#store.ofDay(day);
    this.#day = day;
    this.#audioSec = new Map([...stored].map(([tenant, { audioSec }]) => [tenant ?? '', audioSec]));
  }

  #today(): Map<string, number> {
    const day = dayOf(this.#now());
    if (day !== this.#day) {
      this.#day = day;
      this.#audioSec = new Map();
    }
    return this.#audioSec;
  }

  /** A read never falls between a count and its write. */
  #inOrder(work: () => Promise<void>): void {
    this.#writes = this.#writes.then(work).catch((thrown: unknown) => {
      this.#options.logger.warn({ err: SttError.from(thrown) }, 'usage not stored');
    });
  }
}
