import type { SchedulerStats } from './scheduler-stats.ts';

/** What an engine has done since the last report, and what waits now. */
export interface EngineReport {
  readonly batches: number;
  readonly windows: number;
  /** Share of the places in these batches that were used; 0 without any. */
  readonly fill: number;
  readonly batchSize: number;
  readonly queue: SchedulerStats['queueLength'];
  /** Of the last windows, these reports' and older ones. */
  readonly fileWaitP95Ms: number;
  readonly liveWaitP95Ms: number;
}

const EVERY_MS = 60_000;

/** Sums up an engine's statistics now and then: whoever asks too often gets nothing. */
export class EngineReporter {
  readonly #stats: () => SchedulerStats;
  #last: SchedulerStats;
  #reportedAtMs = Number.NEGATIVE_INFINITY;

  constructor(stats: () => SchedulerStats) {
    this.#stats = stats;
    this.#last = stats();
  }

  /** Undefined until a minute after the last one, and where nothing has been done. */
  next(): EngineReport | undefined {
    const nowMs = performance.now();
    if (nowMs - this.#reportedAtMs < EVERY_MS) return undefined;
    const [now, last] = [this.#stats(), this.#last];
    const batches = now.batches - last.batches;
    if (batches === 0) return undefined;
    this.#reportedAtMs = nowMs;
    this.#last = now;
    const fill = (now.rows - last.rows) / (now.places - last.places);
    return {
      batches,
      windows: now.rows - last.rows,
      fill: Number(fill.toFixed(3)),
      batchSize: now.batchSize,
      queue: now.queueLength,
      fileWaitP95Ms: Math.round(now.waits.file.p95Ms),
      liveWaitP95Ms: Math.round(now.waits.realtime.p95Ms),
    };
  }
}
