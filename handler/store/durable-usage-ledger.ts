import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { UsageLedger, UsedAudio } from '../tenants/usage-ledger.ts';
import { dayOf, type UsageStore } from './usage-store.ts';

export interface LedgerOptions {
  readonly logger: Logger;
  /** How often what other processes counted is read. */
  readonly refreshMs: number;
  readonly now?: () => number;
}

interface Entry {
  readonly tenant: string;
  readonly day: string;
  readonly used: UsedAudio;
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
  /** Seconds of that day as the database has them. */
  #stored = new Map<string, number>();
  /** Counted and not yet in the database, in order. */
  #unwritten: Entry[] = [];
  #work: Promise<unknown> = Promise.resolve();

  private constructor(store: UsageStore, options: LedgerOptions) {
    this.#store = store;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#timer = setInterval(() => this.#inOrder(() => this.#refresh()), options.refreshMs);
    this.#timer.unref();
  }

  /** @throws {SttError} STORE_UNAVAILABLE */
  static async open(store: UsageStore, options: LedgerOptions): Promise<DurableUsageLedger> {
    const ledger = new DurableUsageLedger(store, options);
    await ledger.#read();
    return ledger;
  }

  audioSecToday(tenantId: string): number {
    const today = dayOf(this.#now());
    const stored = today === this.#day ? (this.#stored.get(tenantId) ?? 0) : 0;
    return this.#unwritten
      .filter(({ tenant, day }) => tenant === tenantId && day === today)
      .reduce((sum, { used }) => sum + used.audioSec, stored);
  }

  add(tenantId: string, used: UsedAudio): void {
    this.#unwritten.push({ tenant: tenantId, day: dayOf(this.#now()), used });
    this.#inOrder(() => this.#write());
  }

  /** Resolves when everything is written, or cannot be. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#work;
  }

  async #refresh(): Promise<void> {
    await this.#write();
    await this.#read();
  }

  async #read(): Promise<void> {
    const day = dayOf(this.#now());
    const used = await this.#store.ofDay(day);
    this.#day = day;
    this.#stored = new Map([...used].map(([tenant, { audioSec }]) => [tenant ?? '', audioSec]));
  }

  /** What cannot be written stays and is tried again with the next. */
  async #write(): Promise<void> {
    for (let [entry] = this.#unwritten; entry !== undefined; [entry] = this.#unwritten) {
      const { tenant, day, used } = entry;
      await this.#store.add(tenant, day, used);
      this.#unwritten.shift();
      if (day > this.#day) {
        this.#day = day;
        this.#stored = new Map();
      }
      if (day === this.#day)
        this.#stored.set(tenant, (this.#stored.get(tenant) ?? 0) + used.audioSec);
    }
  }

  /** A read never falls between a count and its write. */
  #inOrder(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((thrown: unknown) => {
      this.#options.logger.warn({ err: SttError.from(thrown) }, 'usage not stored');
    });
  }
}
