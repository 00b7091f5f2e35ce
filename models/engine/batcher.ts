import { setMaxListeners } from 'node:events';

/** Requests that may share a run carry the same key. */
export interface BatcherOptions<Item, Result> {
  readonly maxBatch: number;
  keyOf(item: Item): string;
  run(items: readonly Item[]): Promise<readonly Result[]>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly key: string;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Gathers concurrent requests, of one job or of many, into batches: one batch runs at a time and
 * takes, in order of arrival, what has queued up meanwhile. An aborted request leaves the queue at
 * once; one that is already running finishes unheard.
 */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  #isRunning = false;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
  }

  get queueLength(): number {
    return this.#waiting.length;
  }

  submit(item: Item, signal: AbortSignal): Promise<Result> {
    if (signal.aborted) return Promise.reject(signal.reason);
    setMaxListeners(0, signal); // One job waits with many windows on one signal.
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(signal.reason);
      };
      const settled = (): void => signal.removeEventListener('abort', onAbort);
      const waiting: Waiting<Item, Result> = {
        item,
        key: this.#options.keyOf(item),
        resolve: (result) => {
          settled();
          resolve(result);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiting);
      setImmediate(() => void this.#drain()); // After everyone who submits in this turn.
    });
  }

  async #drain(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#waiting.length > 0) await this.#runBatch(this.#takeBatch());
    this.#isRunning = false;
  }

  #takeBatch(): Waiting<Item, Result>[] {
    const key = this.#waiting[0]!.key;
    const batch = this.#waiting.filter((waiting) => waiting.key === key);
    batch.length = Math.min(batch.length, this.#options.maxBatch);
    this.#waiting = this.#waiting.filter((waiting) => !batch.includes(waiting));
    return batch;
  }

  async #runBatch(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.run(batch.map(({ item }) => item));
      for (const [row, { resolve }] of batch.entries()) resolve(results[row]!);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
