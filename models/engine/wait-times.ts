/** How long windows waited from their request to their first batch. */
export interface WaitTimes {
  readonly count: number;
  readonly sumMs: number;
  readonly maxMs: number;
  /** Of the last 512 windows; 0 before the first. */
  readonly p50Ms: number;
  readonly p95Ms: number;
}

const RECENT = 512;

/** Sums since the start, percentiles of what was recent, in constant memory. */
export class WaitTimeMeter {
  readonly #recentMs: number[] = [];
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  record(waitMs: number): void {
    this.#recentMs[this.#count % RECENT] = waitMs;
    this.#count += 1;
    this.#sumMs += waitMs;
    this.#maxMs = Math.max(this.#maxMs, waitMs);
  }

  snapshot(): WaitTimes {
    const sorted = this.#recentMs.toSorted((a, b) => a - b);
    /** Nearest rank. */
    const percentile = (share: number): number =>
      sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
    return {
      count: this.#count,
      sumMs: this.#sumMs,
      maxMs: this.#maxMs,
      p50Ms: percentile(0.5),
      p95Ms: percentile(0.95),
    };
  }
}
