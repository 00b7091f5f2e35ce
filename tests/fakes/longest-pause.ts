/**
 * For how long the event loop did not turn while `work` was under way, at most, in milliseconds of this
 * process's own computing: what a busy machine takes away does not count.
 */
export async function longestPause<Result>(
  work: () => Promise<Result>,
): Promise<{ result: Result; pauseMs: number }> {
  let pauseMs = 0;
  let isDone = false;
  let last = process.cpuUsage();
  const look = (): void => {
    const { user, system } = process.cpuUsage(last);
    pauseMs = Math.max(pauseMs, (user + system) / 1000);
    last = process.cpuUsage();
    if (!isDone) setImmediate(look);
  };
  setImmediate(look);
  const result = await work();
  isDone = true;
  look();
  return { result, pauseMs };
}
