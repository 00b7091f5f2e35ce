import { Histogram, type Registry } from 'prom-client';

const WAIT_SEC = [0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600];
const STAGE_SEC = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900];
/** Names come from workers too: one that is none of ours may not become a label. */
const STAGE_NAME = /^[a-z_]{1,40}$/;
const MAX_STAGES = 20;

/** Where the time of jobs goes, for Prometheus. */
export class JobTimes {
  readonly #waitSec: Histogram;
  readonly #stageSec: Histogram<'stage'>;
  readonly #stages = new Set<string>();

  constructor(registry: Registry) {
    this.#waitSec = new Histogram({
      name: 'stt_job_wait_seconds',
      help: 'From the acceptance of a job to its start',
      buckets: WAIT_SEC,
      registers: [registry],
    });
    this.#stageSec = new Histogram({
      name: 'stt_stage_seconds',
      help: 'Time of jobs by stage; stages overlap',
      labelNames: ['stage'],
      buckets: STAGE_SEC,
      registers: [registry],
    });
  }

  waited(waitMs: number): void {
    this.#waitSec.observe(waitMs / 1000);
  }

  /** The `timings` of a result. */
  stages(timingsSec: Readonly<Record<string, number>>): void {
    for (const [stage, elapsedSec] of Object.entries(timingsSec ?? {})) {
      if (!STAGE_NAME.test(stage) || typeof elapsedSec !== 'number') continue;
      if (!this.#stages.has(stage) && this.#stages.size >= MAX_STAGES) continue;
      this.#stages.add(stage);
      this.#stageSec.observe({ stage }, elapsedSec);
    }
  }
}
