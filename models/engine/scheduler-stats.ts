import type { Priority } from '../../pipeline/contracts.ts';
import { WaitTimeMeter, type WaitTimes } from './wait-times.ts';

/** Plain numbers: counters since the start, and the state of the moment. */
export interface SchedulerStats {
  /** Batches started, those that failed included. */
  readonly batches: number;
  /** Windows in them; one that is tried again counts again. */
  readonly rows: number;
  /** Windows there was room for in them. */
  readonly places: number;
  /** rows ÷ places; 0 before the first batch. */
  readonly fill: number;
  /** As it is now: smaller than configured after GPU memory ran out. */
  readonly batchSize: number;
  readonly outOfMemory: number;
  /** Batches whose rows ran once more by themselves. */
  readonly retriedBatches: number;
  /** Windows that left the queue because a newer one took their place. */
  readonly replaced: number;
  /** Windows that wait now. */
  readonly queueLength: Readonly<Record<Priority, number>>;
  /** Tenants with a window that waits now. */
  readonly tenants: number;
  readonly waits: Readonly<Record<Priority, WaitTimes>>;
}

type Counter = 'outOfMemory' | 'retriedBatches' | 'replaced';

interface QueueState {
  readonly tenantCount: number;
  lengthOf(priority: Priority): number;
}

/** What a scheduler counts. */
export class SchedulerMeter {
  readonly #counts = {
    batches: 0,
    rows: 0,
    places: 0,
    outOfMemory: 0,
    retriedBatches: 0,
    replaced: 0,
  };
  readonly #waits: Readonly<Record<Priority, WaitTimeMeter>> = {
    realtime: new WaitTimeMeter(),
    file: new WaitTimeMeter(),
  };

  countBatch(rows: number, places: number): void {
    this.#counts.batches += 1;
    this.#counts.rows += rows;
    this.#counts.places += places;
  }

  count(counter: Counter): void {
    this.#counts[counter] += 1;
  }

  recordWait(priority: Priority, waitMs: number): void {
    this.#waits[priority].record(waitMs);
  }

  stats(queue: QueueState, batchSize: number): SchedulerStats {
    const { rows, places } = this.#counts;
    return {
      ...this.#counts,
      fill: places === 0 ? 0 : rows / places,
      batchSize,
      queueLength: { realtime: queue.lengthOf('realtime'), file: queue.lengthOf('file') },
      tenants: queue.tenantCount,
      waits: { realtime: this.#waits.realtime.snapshot(), file: this.#waits.file.snapshot() },
    };
  }
}
