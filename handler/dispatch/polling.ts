export interface Polling {
  /** The wait before the first look, and its growth up to the longest one. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  readonly growth: number;
  /** How often a job is sent while RunPod refuses or cannot be connected to. */
  readonly attempts: number;
  /** Failed looks in a row before a job that runs is given up. */
  readonly lookAttempts: number;
}

/** Looks are given up after about two minutes without an answer. */
export const DEFAULT_POLLING: Polling = {
  firstWaitMs: 500,
  longestWaitMs: 5000,
  growth: 1.5,
  attempts: 6,
  lookAttempts: 30,
};

/** Growing waits; a quarter is random, so that jobs sent together do not ask together. */
export function* growingWaits(polling: Polling): Generator<number, never> {
  const { firstWaitMs, longestWaitMs, growth } = polling;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(longestWaitMs, waitMs * growth)) {
    yield waitMs * (0.75 + Math.random() / 4);
  }
}
