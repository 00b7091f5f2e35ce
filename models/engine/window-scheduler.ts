import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SttError } from '../../core/errors.ts';
import type { Priority, Scheduling } from '../../pipeline/contracts.ts';
import { SchedulerMeter, type SchedulerStats } from './scheduler-stats.ts';
import { type WaitingWindow, WindowQueue } from './window-queue.ts';

/** A batch that failed and whose rows are tried again; their callers do not hear of it. */
export type SchedulerTrouble =
  | {
      readonly kind: 'batch-size-reduced';
      /** What was decoded so, see `shapeOf`. */
      readonly shape: string;
      readonly rows: number;
      readonly batchSize: number;
    }
  | { readonly kind: 'batch-retried'; readonly rows: number; readonly error: SttError };

/** The place that a batch runs in. */
interface BatchTurn {
  end(): void;
}

export interface WindowSchedulerOptions<Item, Result, Turn extends BatchTurn = BatchTurn> {
  /** Windows of one batch at most, until memory proves too small for that. */
  readonly batchSize: number;
  /** Items that may share a run have the same key. */
  keyOf(item: Item): string;
  /** The key of others whose run an item may share as well, where that spares waiting. */
  joinKeyOf?(item: Item): string | undefined;
  /** Items of one shape need the same memory each; '', all of them, by default. */
  shapeOf?(item: Item): string;
  /** One result for each item, in order. */
  run(items: readonly Item[], turn: Turn | undefined): Promise<readonly Result[]>;
  /**
   * Resolves when a batch may start, at once if left out: until then it is not chosen, so that more may
   * join it.
   * @param priority of the most urgent window, asked while it waits.
   */
  turn?(priority: () => Priority): Promise<Turn>;
  /** Frees memory that is not needed now, if there is any: the batch is then tried once more as it is. */
  makeRoom?(): Promise<boolean>;
  readonly onTrouble: ((trouble: SchedulerTrouble) => void) | undefined;
  /** What is counted; its own unless several schedulers count together. */
  readonly meter?: SchedulerMeter | undefined;
}

/** A turn, or why there is none: an answer to the batch. */
type TakenTurn<Turn> = { readonly turn: Turn | undefined } | { readonly error: unknown };

interface Waiting<Item, Result> extends WaitingWindow {
  readonly item: Item;
  readonly submittedAtMs: number;
  key: string;
  joins: string | undefined;
  hasRun: boolean;
  /** Whether its caller has had an answer. */
  isSettled: boolean;
  settle(answer: { readonly result: Result } | { readonly error: unknown }): void;
}

/**
 * Gathers concurrent requests, of one job or of many, into batches: one batch runs at a time, the
 * next one is chosen when it ends, see `WindowQueue`. An aborted request is answered at once; if it
 * is already running, it finishes unheard.
 *
 * A failing batch is nobody's answer yet. Out of memory: the batch size of its shape is halved for
 * good and the rows wait again, until a single row does not fit. An unknown failure (INTERNAL): each row runs
 * once more by itself, so that a bad one fails alone. Anything else, such as a dead engine, is
 * answered to all rows: they would only fail again.
 */
export class WindowScheduler<Item, Result, Turn extends BatchTurn = BatchTurn> {
  readonly #options: WindowSchedulerOptions<Item, Result, Turn>;
  readonly #queue = new WindowQueue<Waiting<Item, Result>>();
  /** Waiting windows that a newer one may replace, by `slotOf`. */
  readonly #slots = new Map<string, Waiting<Item, Result>>();
  readonly #meter: SchedulerMeter;
  /** By shape, where memory has proved too small for the setting. */
  readonly #limits = new Map<string, number>();
  #arrivals = 0;
  #isRunning = false;

  constructor(options: WindowSchedulerOptions<Item, Result, Turn>) {
    this.#options = options;
    this.#meter = options.meter ?? new SchedulerMeter();
  }

  /** Windows of a shape that are run together at most. */
  batchSizeOf(shape = ''): number {
    return this.#limits.get(shape) ?? this.#options.batchSize;
  }

  /** Takes note that memory does not hold so many windows of a shape. */
  reduce(shape: string, rows: number): void {
    const batchSize = Math.min(this.batchSizeOf(shape), halfOf(rows));
    this.#limits.set(shape, batchSize);
    this.#options.onTrouble?.({ kind: 'batch-size-reduced', shape, rows, batchSize });
  }

  get queueLength(): number {
    return this.#queue.length;
  }

  stats(): SchedulerStats {
    return this.#meter.stats(this.#queue, this.batchSizeOf());
  }

  /**
   * @throws the reason of `signal` when it aborts, what `run` throws, JOB_CANCELLED where a newer
   * window has taken the place of this one.
   */
  submit(item: Item, scheduling: Scheduling, signal: AbortSignal): Promise<Result> {
    if (signal.aborted) return Promise.reject(signal.reason);
    setMaxListeners(0, signal); // One job waits with many windows on one signal.
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#dequeue(waiting);
        waiting.settle({ error: signal.reason });
      };
      const waiting: Waiting<Item, Result> = {
        item,
        key: this.#options.keyOf(item),
        joins: this.#options.joinKeyOf?.(item),
        arrival: this.#replace(scheduling) ?? this.#arrivals++,
        scheduling,
        submittedAtMs: performance.now(),
        hasRun: false,
        isSettled: false,
        settle: (answer) => {
          waiting.isSettled = true;
          signal.removeEventListener('abort', onAbort);
          if ('result' in answer) resolve(answer.result);
          else reject(answer.error);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#enqueue(waiting);
      setImmediate(() => void this.#drain()); // After everyone who submits in this turn.
    });
  }

  /** The place in the queue of the window that is replaced, if there is one. */
  #replace(scheduling: Scheduling): number | undefined {
    const replaced = this.#slots.get(slotOf(scheduling) ?? '');
    if (replaced === undefined) return undefined;
    this.#dequeue(replaced);
    this.#meter.count('replaced');
    replaced.settle({ error: new SttError('JOB_CANCELLED', 'A newer window took its place') });
    return replaced.arrival;
  }

  #enqueue(waiting: Waiting<Item, Result>): void {
    const slot = slotOf(waiting.scheduling);
    if (slot !== undefined && !this.#slots.has(slot)) this.#slots.set(slot, waiting);
    this.#queue.add(waiting);
  }

  #dequeue(waiting: Waiting<Item, Result>): void {
    this.#leaveSlot(waiting);
    this.#queue.remove(waiting);
  }

  #leaveSlot(waiting: Waiting<Item, Result>): void {
    const slot = slotOf(waiting.scheduling);
    if (slot !== undefined && this.#slots.get(slot) === waiting) this.#slots.delete(slot);
  }

  async #drain(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#queue.length > 0) {
      const turn = await this.#turn();
      const batch = this.#queue.take(({ item }) => this.batchSizeOf(this.#shapeOf(item)));
      if (batch.length > 0) await this.#runBatch(batch, turn); // else aborted meanwhile
      if ('turn' in turn) turn.turn?.end();
      await nextTurn(); // Who has just been answered may ask again, and share the next batch.
    }
    this.#isRunning = false;
  }

  async #turn(): Promise<TakenTurn<Turn>> {
    try {
      return { turn: await this.#options.turn?.(() => this.#priority) };
    } catch (error) {
      return { error };
    }
  }

  get #priority(): Priority {
    return this.#queue.lengthOf('realtime') > 0 ? 'realtime' : 'file';
  }

  #shapeOf(item: Item): string {
    return this.#options.shapeOf?.(item) ?? '';
  }

  async #runBatch(batch: readonly Waiting<Item, Result>[], taken: TakenTurn<Turn>): Promise<void> {
    this.#meter.countBatch(batch.length, this.batchSizeOf(this.#shapeOf(batch[0]!.item)));
    for (const waiting of batch) this.#start(waiting);
    try {
      if ('error' in taken) throw taken.error;
      const items = batch.map(({ item }) => item);
      const results = await this.#options.run(items, taken.turn);
      for (const [row, waiting] of batch.entries()) waiting.settle({ result: results[row]! });
    } catch (error) {
      await this.#recover(batch, SttError.from(error));
    }
  }

  #start(waiting: Waiting<Item, Result>): void {
    this.#leaveSlot(waiting);
    if (waiting.hasRun) return;
    waiting.hasRun = true;
    const { priority } = waiting.scheduling;
    this.#meter.recordWait(priority, performance.now() - waiting.submittedAtMs);
  }

  async #recover(batch: readonly Waiting<Item, Result>[], error: SttError): Promise<void> {
    if (error.code === 'GPU_OUT_OF_MEMORY') {
      this.#meter.count('outOfMemory');
      if (await this.#options.makeRoom?.()) return this.#tryAgain(batch);
      if (batch.length > 1) {
        this.reduce(this.#shapeOf(batch[0]!.item), batch.length);
        return this.#tryAgain(batch);
      }
    }
    if (error.code === 'INTERNAL' && batch.length > 1) {
      this.#meter.count('retriedBatches');
      this.#options.onTrouble?.({ kind: 'batch-retried', rows: batch.length, error });
      for (const waiting of batch) {
        waiting.key = `alone ${waiting.arrival}`;
        waiting.joins = undefined;
      }
      return this.#tryAgain(batch);
    }
    for (const waiting of batch) waiting.settle({ error });
  }

  #tryAgain(batch: readonly Waiting<Item, Result>[]): void {
    for (const waiting of batch) if (!waiting.isSettled) this.#enqueue(waiting);
  }
}

/** The next smaller power of two: a GPU fills a batch up to one, so that 5 rows cost 8. */
const halfOf = (rows: number): number => 2 ** (Math.ceil(Math.log2(rows)) - 1);

/** Windows replace each other within one tenant and priority only. */
const slotOf = ({ replaces, tenant, priority }: Scheduling): string | undefined =>
  replaces === undefined ? undefined : JSON.stringify([priority, tenant, replaces]);
