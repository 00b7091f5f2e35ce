/**
 * Two works at the same time. The first failure stops the other through its signal and is thrown; an
 * abort counts as one. Settles only when nothing is left running.
 */
export async function sideBySide<First, Second>(
  first: (stop: AbortSignal) => Promise<First>,
  second: (stop: AbortSignal) => Promise<Second>,
  signal: AbortSignal,
): Promise<[First, Second]> {
  signal.throwIfAborted();
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const watched = async <Result>(work: (stop: AbortSignal) => Promise<Result>): Promise<Result> => {
    try {
      return await work(stop);
    } catch (thrown) {
      if (!stop.aborted) failed.abort(thrown);
      throw thrown;
    }
  };
  const [one, other] = await Promise.allSettled([watched(first), watched(second)]);
  stop.throwIfAborted();
  if (one.status === 'rejected') throw one.reason;
  if (other.status === 'rejected') throw other.reason;
  return [one.value, other.value];
}
