import { setTimeout as sleep } from 'node:timers/promises';
import { SttError } from '../../core/errors.ts';
import type { LiveInput } from '../../pipeline/realtime/session-state.ts';
import type { SessionWindow, WindowRecognizer } from './contracts.ts';

export interface WindowTiming {
  /** A window that takes longer has failed. */
  readonly timeoutMs: number;
  /** Failures in a row after which a window whose text would be final is given up. */
  readonly maxFailures: number;
  /** Wait after the first failure; doubled for each further one. */
  readonly backoffMs: number;
}

const MAX_BACKOFF_MS = 4000;
export const DEFAULT_WINDOW_TIMING: WindowTiming = {
  timeoutMs: 60_000,
  maxFailures: 6,
  backoffMs: 250,
};

/** Asks for windows and turns what comes of them into inputs of the session. */
export class WindowCaller {
  readonly #recognizer: WindowRecognizer;
  readonly #timing: WindowTiming;
  #failures = 0;

  constructor(recognizer: WindowRecognizer, timing: WindowTiming) {
    this.#recognizer = recognizer;
    this.#timing = timing;
  }

  /**
   * A result, or a failure once it is time to ask again.
   * @throws {SttError} LANGUAGE_UNSUPPORTED, since no further window would fare better; the reason of
   * `signal`.
   */
  async call(window: SessionWindow, signal: AbortSignal): Promise<LiveInput> {
    const { seq, isLast } = window;
    try {
      const stop = AbortSignal.any([signal, AbortSignal.timeout(this.#timing.timeoutMs)]);
      const result = await this.#recognizer.recognize(window, stop);
      this.#failures = 0;
      return { type: 'result', seq, result };
    } catch (thrown) {
      signal.throwIfAborted();
      const error = SttError.from(thrown);
      if (error.code === 'LANGUAGE_UNSUPPORTED') throw error;
      this.#failures += 1;
      if (isLast && this.#failures >= this.#timing.maxFailures) {
        this.#failures = 0;
        return { type: 'given-up', seq };
      }
      const backoffMs = this.#timing.backoffMs * 2 ** (this.#failures - 1);
      await sleep(Math.min(MAX_BACKOFF_MS, backoffMs), undefined, { signal });
      return { type: 'failed', seq };
    }
  }
}
