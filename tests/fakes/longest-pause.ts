import { threadTimes } from './thread-times.ts';

/** Of this thread where that is known: collecting garbage and compiling code go on beside it. */
function computingMs(): number {
  const { user, system } = process.cpuUsage();
  return threadTimes()?.computingMs ?? (user + system) / 1000;
}

/**
 * For how long the event loop did not turn while `work` was under way, at most, in milliseconds of
 * computing: what a busy machine takes away does not count.
 */
export async function longestPause<Result>(
  work: () => Promise<Result>,
): Promise<{ result: Result; pauseMs: number }> {
  let pauseMs = 0;
  let isDone = false;
  let last = computingMs();
  const look = (): void => {
    const now = computingMs();
    pauseMs = Math.max(pauseMs, now - last);
    last = now;
    if (!isDone) setImmediate(look);
  };
  setImmediate(look);
  const result = await work();
  isDone = true;
  look();
  return { result, pauseMs };
}
