/** The longest that a timer can wait; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Aborts after `ms`, which may be fractional or longer than a timer can wait. */
export const abortAfter = (ms: number): AbortSignal =>
  AbortSignal.timeout(Math.min(Math.ceil(ms), MAX_TIMER_MS));
