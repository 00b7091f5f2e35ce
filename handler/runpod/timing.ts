/** Every wait of the job loop, so that tests can run a day of RunPod in a second. */
export interface Timing {
  /** How long we leave a take or stop poll open. */
  readonly pollTimeoutMs: number;
  /** What has reached this machine when a poll is cancelled is read within this time. */
  readonly pollGraceMs: number;
  /** A take that brought no job lasts at least this long: not every server holds its polls. */
  readonly takeFloorMs: number;
  readonly takeBackoffFirstMs: number;
  readonly takeBackoffMaxMs: number;
  /** After HTTP 429 on a poll. */
  readonly rateLimitMs: number;
  /** How often a full engine is asked again for room. */
  readonly capacityPollMs: number;
  /** After an empty or failed stop poll. */
  readonly stopFloorMs: number;
  readonly postTimeoutMs: number;
  /** Waits between attempts to post; one attempt more than entries. */
  readonly postRetryMs: readonly number[];
  readonly progressIntervalMs: number;
  /** How long a final post waits for a progress post that is under way. */
  readonly progressCloseMs: number;
  readonly pingRetryMs: readonly number[];
  readonly unhealthyPingMs: number;
  /** Time left to hand errors in after the second signal. */
  readonly hurryMs: number;
  /** In [0, 1), for the jitter. */
  random(): number;
}

export const DEFAULT_TIMING: Timing = {
  pollTimeoutMs: 90_000,
  pollGraceMs: 250,
  takeFloorMs: 200,
  takeBackoffFirstMs: 250,
  takeBackoffMaxMs: 10_000,
  rateLimitMs: 5000,
  capacityPollMs: 250,
  stopFloorMs: 1000,
  postTimeoutMs: 120_000,
  postRetryMs: [1000, 2000, 4000, 8000, 15_000],
  progressIntervalMs: 1000,
  progressCloseMs: 5000,
  pingRetryMs: [0, 2000, 4000],
  unhealthyPingMs: 2000,
  hurryMs: 3000,
  random: Math.random,
};
