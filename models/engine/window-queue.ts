import type { Priority, Scheduling } from '../../pipeline/contracts.ts';
import { FairQueue } from './fair-queue.ts';

/** What the queue has to know of a window. */
export interface WaitingWindow {
  /** Windows with the same key may share a run. */
  readonly key: string;
  /** The key of other windows whose run it may share too, if that is the way to have its turn. */
  readonly joins?: string | undefined;
  /** Smaller came earlier; no two windows have the same. */
  readonly arrival: number;
  readonly scheduling: Scheduling;
}

/** The urgent ones first. */
const PRIORITIES: readonly Priority[] = ['realtime', 'file'];

/** Batches that may go before the oldest window of all, once it is the oldest. */
export const MAX_PASSED_OVER = 4;
/** The same where live captions are waiting, which would wait a batch longer for it. */
export const MAX_BEHIND_REALTIME = 16;

/**
 * The windows of all jobs and sessions, and which of them run together next: realtime before files,
 * tenants of one priority in turn, a tenant's own by arrival.
 *
 * Nothing starves, whatever its priority, tenant and key: a window that is the oldest of all heads the
 * fifth batch at the latest, or the seventeenth where live windows that cannot share it keep coming.
 * Save for that one batch in seventeen, and as long as all live windows fit into one batch, a live
 * window that waits is in the next batch, or in the one after it if another live one rules it out.
 */
export class WindowQueue<Window extends WaitingWindow> {
  readonly #byPriority: Readonly<Record<Priority, FairQueue<Window>>> = {
    realtime: new FairQueue(),
    file: new FairQueue(),
  };
  #oldestArrival: number | undefined;
  #passedOver = 0;

  get length(): number {
    return this.lengthOf('realtime') + this.lengthOf('file');
  }

  lengthOf(priority: Priority): number {
    return this.#byPriority[priority].length;
  }

  /** Those with a waiting window. */
  get tenantCount(): number {
    return new Set(PRIORITIES.flatMap((priority) => this.#byPriority[priority].tenants)).size;
  }

  add(window: Window): void {
    this.#queueOf(window).add(window);
  }

  remove(window: Window): void {
    this.#queueOf(window).remove(window);
  }

  /**
   * Up to `maxRowsOf` the first one windows that may share a run; empty when nothing waits.
   * @param maxRowsOf asked for the window that heads the batch.
   */
  take(maxRowsOf: (head: Window) => number): Window[] {
    const head = this.#head(maxRowsOf);
    if (head === undefined) return [];
    const maxRows = maxRowsOf(head);
    const batchKey = this.#batchKeyOf(head);
    const batch = [head];
    this.#queueOf(head).serve(head);
    for (const priority of PRIORITIES) {
      const queue = this.#byPriority[priority];
      while (batch.length < maxRows) {
        const next = queue.next((window) => mayRunAs(window, batchKey));
        if (next === undefined) break;
        queue.serve(next);
        batch.push(next);
      }
    }
    return batch;
  }

  #head(maxRowsOf: (head: Window) => number): Window | undefined {
    const { realtime, file } = this.#byPriority;
    const oldest = PRIORITIES.map((priority) => this.#byPriority[priority].oldest())
      .filter((window) => window !== undefined)
      .toSorted((a, b) => a.arrival - b.arrival)[0];
    this.#passedOver = oldest?.arrival === this.#oldestArrival ? this.#passedOver + 1 : 0;
    this.#oldestArrival = oldest?.arrival;
    if (oldest === undefined) return undefined;
    const keepsNobodyWaiting =
      realtime.length < maxRowsOf(oldest) &&
      [...realtime.windows()].every((window) => mayRunAs(window, oldest.key));
    const limit = keepsNobodyWaiting ? MAX_PASSED_OVER : MAX_BEHIND_REALTIME;
    if (this.#passedOver >= limit) return oldest;
    return realtime.next() ?? file.next();
  }

  /** A live window runs as others that wait, if that spares them a batch of their own. */
  #batchKeyOf({ key, joins, scheduling }: Window): string {
    if (joins === undefined || scheduling.priority !== 'realtime') return key;
    const { realtime } = this.#byPriority;
    return [...realtime.windows()].some((window) => window.key === joins) ? joins : key;
  }

  #queueOf({ scheduling }: Window): FairQueue<Window> {
    return this.#byPriority[scheduling.priority];
  }
}

const mayRunAs = ({ key, joins }: WaitingWindow, batchKey: string): boolean =>
  key === batchKey || joins === batchKey;
