import { samplesToSec, secToSamples } from '../../audio/time.ts';
import { SttError } from '../../core/errors.ts';
import type { AudioUsage } from './contracts.ts';

/** Audio is counted in steps, so that the ledger is not written for each piece. */
const STEP_SAMPLES = secToSamples(5);

/** Counts a session's audio against its tenant's day: each sample once, also over restarts. */
export class CountedAudio {
  readonly #usage: AudioUsage | undefined;
  readonly #tenant: string | null;
  #samples: number;

  constructor(usage: AudioUsage | undefined, tenant: string | null, samples: number) {
    this.#usage = usage;
    this.#tenant = tenant;
    this.#samples = samples;
  }

  /** How much will have been counted when a session of that length is stored. */
  at(sampleCount: number, isEnded: boolean): number {
    const isDue = isEnded || sampleCount - this.#samples >= STEP_SAMPLES;
    return isDue ? Math.max(this.#samples, sampleCount) : this.#samples;
  }

  /** Counts up to there once that is stored. Returns what forbids any more, or null. */
  count(samples: number): SttError | null {
    const fresh = samples - this.#samples;
    if (fresh <= 0 || this.#usage === undefined) return null;
    this.#usage.count(this.#tenant, samplesToSec(fresh), this.#samples === 0 ? 1 : 0);
    this.#samples = samples;
    try {
      this.#usage.assertLeft(this.#tenant);
      return null;
    } catch (thrown) {
      return SttError.from(thrown);
    }
  }
}
