import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, SttError } from '../../core/errors.ts';

const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 5000;
/** Failures in a row, about two seconds, before anyone is told: a hiccup is not worth a word. */
const WORTH_TELLING = 4;

/** Something that fails now and is tried again: since when, whether its client knows, how long yet. */
export class Delay {
  readonly #onLate: (code: ErrorCode) => void;
  readonly #firstWaitMs: number;
  #sinceMs: number | null = null;
  #failures = 0;
  #code: ErrorCode | null = null;

  /** `onLate` is called once for each time that something has failed for a while. */
  constructor(onLate: (code: ErrorCode) => void, firstWaitMs = FIRST_WAIT_MS) {
    this.#onLate = onLate;
    this.#firstWaitMs = firstWaitMs;
  }

  /** Why it is late; null when it is not, or nobody needs to know yet. */
  get code(): ErrorCode | null {
    return this.#code;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Since the first failure of those in a row. */
  get elapsedMs(): number {
    return this.#sinceMs === null ? 0 : performance.now() - this.#sinceMs;
  }

  over(): void {
    this.#sinceMs = null;
    this.#failures = 0;
    this.#code = null;
  }

  /** Waits until it is worth another try: longer each time, and not in step with other sessions. */
  async failed(code: ErrorCode, signal: AbortSignal): Promise<void> {
    this.#sinceMs ??= performance.now();
    this.#failures += 1;
    const waitMs = Math.min(MAX_WAIT_MS, this.#firstWaitMs * 2 ** (this.#failures - 1));
    if (this.#code === null && this.#failures >= WORTH_TELLING) {
      this.#code = code;
      this.#onLate(code);
    }
    await sleep(waitMs * (0.75 + Math.random() / 2), undefined, { signal });
  }
}

export interface Patience {
  readonly patienceMs: number;
  readonly backoffMs?: number;
  readonly signal: AbortSignal;
}

/** Work that may fail for a while and must not be given up. */
export class Persistence {
  readonly #delay: Delay;
  readonly #patience: Patience;

  constructor(onLate: (code: ErrorCode) => void, patience: Patience) {
    this.#delay = new Delay(onLate, patience.backoffMs);
    this.#patience = patience;
  }

  /** Why something is late; null: nothing is. */
  get late(): ErrorCode | null {
    return this.#delay.code;
  }

  /**
   * Does the work again until it succeeds.
   * @throws {SttError} its failure once the patience is over; the reason of the signal.
   */
  readonly run = async <T>(work: () => Promise<T>): Promise<T> => {
    const { patienceMs, signal } = this.#patience;
    for (;;) {
      try {
        const done = await work();
        this.#delay.over();
        return done;
      } catch (thrown) {
        signal.throwIfAborted();
        if (this.#delay.elapsedMs >= patienceMs) throw thrown;
        await this.#delay.failed(SttError.from(thrown).code, signal);
      }
    }
  };
}
