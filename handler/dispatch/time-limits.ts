import { SttError } from '../../core/errors.ts';
import type { ExecutionPolicy } from './endpoint.ts';

/** What a job may wait for a worker, and cost on one. */
export interface TimeLimits {
  readonly maxQueueMs: number;
  readonly maxJobMs: number;
}

const RUNPOD_LIMITS = {
  ttl: { leastMs: 10_000, mostMs: 7 * 86_400_000 },
  executionTimeout: { leastMs: 5000, mostMs: 7 * 86_400_000 },
};
/** RunPod ends a job this much later than we do, for when nobody is left here to do it. */
const MARGIN_MS = 30_000;

const clamped = (
  ms: number,
  { leastMs, mostMs }: { readonly leastMs: number; readonly mostMs: number },
): number => Math.round(Math.min(mostMs, Math.max(leastMs, ms)));

/** RunPod's form of the limits, within what it accepts. */
export const policyOf = ({ maxQueueMs, maxJobMs }: TimeLimits): ExecutionPolicy => ({
  ttl: clamped(maxQueueMs + maxJobMs + MARGIN_MS, RUNPOD_LIMITS.ttl),
  executionTimeout: clamped(maxJobMs, RUNPOD_LIMITS.executionTimeout),
});

/** Counts a job's time in the queue and on a worker; both begin anew when it changes places. */
export class TimeWatch {
  readonly #limits: TimeLimits | undefined;
  #isQueued = true;
  #sinceMs = performance.now();
  #earlierMs = 0;

  constructor(limits: TimeLimits | undefined) {
    this.#limits = limits;
  }

  /** On workers so far, as far as was seen. */
  get workedMs(): number {
    return this.#earlierMs + (this.#isQueued ? 0 : performance.now() - this.#sinceMs);
  }

  /** @throws {SttError} QUEUE_TIMEOUT, JOB_TIMEOUT */
  look(status: string): void {
    const isQueued = status === 'IN_QUEUE';
    if (isQueued !== this.#isQueued) {
      this.#earlierMs = this.workedMs;
      this.#isQueued = isQueued;
      this.#sinceMs = performance.now();
    }
    if (this.#limits === undefined) return;
    const elapsedMs = performance.now() - this.#sinceMs;
    const { maxQueueMs, maxJobMs } = this.#limits;
    if (isQueued && elapsedMs > maxQueueMs) {
      throw new SttError('QUEUE_TIMEOUT', `No worker took the job within ${maxQueueMs} ms`);
    }
    if (!isQueued && elapsedMs > maxJobMs + MARGIN_MS) {
      throw new SttError('JOB_TIMEOUT', `The job ran longer than ${maxJobMs} ms`);
    }
  }
}
