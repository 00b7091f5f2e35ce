import type { Priority, Scheduling } from '../../pipeline/contracts.ts';
import { FairQueue } from './fair-queue.ts';

/** What the queue has to know of a window. */
export interface WaitingWindow {
  /** Windows with the same key may share a run. */
  readonly key: string;
  /** Smaller came earlier; no two windows have the same. */
  readonly arrival: number;
  readonly scheduling: Scheduling;
}

/** The urgent ones first. */
const PRIORITIES: readonly Priority[] = ['realtime', 'file'];

/** Batches that may go before the oldest window of all, once it is the oldest. */
export const MAX_PASSED_OVER = 4;

/**
 * The windows of all jobs and sessions, and which of them run together next: realtime before files,
 * tenants of one priority in turn, a tenant's own by arrival.
 *
 * Nothing starves, whatever its priority, tenant and key: a window that is the oldest of all heads
 * the fifth batch at the latest, so that one with n older ones runs within 5 · (n + 1) batches.
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

  /** Up to `maxRows` windows of one key; empty when nothing waits. */
  take(maxRows: number): Window[] {
    const head = this.#head();
    if (head === undefined) return [];
    const batch = [head];
    this.#queueOf(head).serve(head);
    for (const priority of PRIORITIES) {
      const queue = this.#byPriority[priority];
      while (batch.length < maxRows) {
        const next = queue.next(({ key }) => key === head.key);
        if (next === undefined) break;
        queue.serve(next);
        batch.push(next);
      }
    }
    return batch;
  }

  #head(): Window | undefined {
    const oldest = PRIORITIES.map((priority) => this.#byPriority[priority].oldest())
      .filter((window) => window !== undefined)
      .toSorted((a, b) => a.arrival - b.arrival)[0];
    this.#passedOver = oldest?.arrival === this.#oldestArrival ? this.#passedOver + 1 : 0;
    this.#oldestArrival = oldest?.arrival;
    if (this.#passedOver >= MAX_PASSED_OVER) return oldest;
    return this.#byPriority.realtime.next() ?? this.#byPriority.file.next();
  }

  #queueOf({ scheduling }: Window): FairQueue<Window> {
    return this.#byPriority[scheduling.priority];
  }
}
