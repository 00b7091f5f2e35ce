import { SttError } from '../../core/errors.ts';
import type { LiveInput } from '../../pipeline/realtime/session-state.ts';
import type { SessionWindow, WindowRecognizer } from './contracts.ts';
import type { Delay } from './delays.ts';

export interface WindowTiming {
  /** A window that takes longer has failed. */
  readonly timeoutMs: number;
  /** How long something is tried again that another try may mend, before it is given up. */
  readonly patienceMs: number;
  /** Wait after the first failure; doubled for each further one. */
  readonly backoffMs: number;
}

/** Failures in a row that say that the window itself cannot be recognised. */
const MAX_REFUSALS = 6;
export const DEFAULT_WINDOW_TIMING: WindowTiming = {
  timeoutMs: 60_000,
  patienceMs: 900_000,
  backoffMs: 250,
};

type WindowOutcome = 'recognised' | 'failed' | 'given-up';

export interface CallerParts {
  readonly recognizer: WindowRecognizer;
  readonly timing: WindowTiming;
  readonly delay: Delay;
  readonly onWindow?: ((outcome: WindowOutcome, elapsedSec: number) => void) | undefined;
}

/** Asks for windows and turns what comes of them into inputs of the session. */
export class WindowCaller {
  readonly #parts: CallerParts;

  constructor(parts: CallerParts) {
    this.#parts = parts;
  }

  /**
   * A result, or a failure once it is time to ask again.
   * @throws {SttError} LANGUAGE_UNSUPPORTED, since no further window would fare better; the reason of
   * `signal`.
   */
  async call(window: SessionWindow, signal: AbortSignal): Promise<LiveInput> {
    const { recognizer, timing, delay, onWindow } = this.#parts;
    const { seq, isLast } = window;
    const startedMs = performance.now();
    const tell = (outcome: WindowOutcome): void =>
      onWindow?.(outcome, (performance.now() - startedMs) / 1000);
    const late = AbortSignal.timeout(timing.timeoutMs);
    try {
      const stop = AbortSignal.any([signal, late]);
      const result = await recognizer.recognize(window, stop);
      delay.over();
      tell('recognised');
      return { type: 'result', seq, result };
    } catch (thrown) {
      signal.throwIfAborted();
      const error = late.aborted ? tooLate() : SttError.from(thrown);
      if (error.code === 'LANGUAGE_UNSUPPORTED') throw error;
      if (isLast && this.#isHopeless(error)) {
        delay.over();
        tell('given-up');
        return { type: 'given-up', seq };
      }
      tell('failed');
      await delay.failed(error.code, signal);
      return { type: 'failed', seq };
    }
  }

  /** An outage ends; a window that whoever recognises it refuses again and again does not change. */
  #isHopeless(error: SttError): boolean {
    const { delay, timing } = this.#parts;
    if (delay.elapsedMs >= timing.patienceMs) return true;
    return !isOutage(error) && delay.failures + 1 >= MAX_REFUSALS;
  }
}

const tooLate = (): SttError =>
  new SttError('QUEUE_TIMEOUT', 'Nobody recognised the window in time');

/** A key that is refused is the operator's to mend, who needs time for it. */
const isOutage = ({ code, retryable }: SttError): boolean =>
  retryable || code === 'ENDPOINT_REFUSED' || code === 'JOB_CANCELLED';
