export interface ConcurrencyOptions<Item> {
  /** Items in work at the same time, at most. */
  readonly limit: number;
  /** May throw: it fails everything, as a failing item does. */
  readonly work: (item: Item, signal: AbortSignal) => Promise<void>;
}

/**
 * Works on the items of a source, several at once, and settles only when nothing is left running.
 * The first failure stops the rest through their signal and is thrown; an abort counts as one.
 * `open` gets the same signal, so that the source stops too.
 */
export async function runConcurrently<Item>(
  open: (signal: AbortSignal) => AsyncIterable<Item>,
  { limit, work }: ConcurrencyOptions<Item>,
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const running = new Set<Promise<void>>();
  const fail = (thrown: unknown): void => {
    if (!stop.aborted) failed.abort(thrown);
  };

  try {
    stop.throwIfAborted();
    for await (const item of open(stop)) {
      while (running.size >= limit) await Promise.race(running);
      stop.throwIfAborted();
      // A signal of its own: Node warns of a leak when more than ten works listen to one signal.
      const task: Promise<void> = work(item, AbortSignal.any([stop]))
        .catch(fail)
        .finally(() => running.delete(task));
      running.add(task);
    }
  } catch (thrown) {
    fail(thrown);
  }
  await Promise.all(running);
  stop.throwIfAborted();
}
