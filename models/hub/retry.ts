import { setTimeout as wait } from 'node:timers/promises';
import { SttError } from '../../core/errors.ts';

/** A failure that may pass; its message becomes part of ours. */
export class TransientFailure extends Error {
  /** What the host asked for. */
  readonly retryAfterMs: number | undefined;
  /** The connection broke before an answer: an idle one may have died unnoticed. */
  readonly isConnection: boolean;

  constructor(
    message: string,
    options: ErrorOptions & { retryAfterMs?: number | undefined; isConnection?: boolean } = {},
  ) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
    this.isConnection = options.isConnection ?? false;
  }
}

export interface RetryRules {
  readonly attempts: number;
  readonly backoffMs: number;
  readonly maxWaitMs: number;
  /** Whether the attempt that failed brought something; the count then starts anew. */
  readonly hasAdvanced?: () => boolean;
  readonly onRetry: (failures: number, waitMs: number, reason: string) => void;
}

/**
 * Repeats what fails in passing, with growing waits of which half is random.
 * @throws {SttError} MODEL_DOWNLOAD_FAILED after the last attempt; other failures and the signal's
 * reason at once.
 */
export async function withRetries<T>(
  task: () => Promise<T>,
  rules: RetryRules,
  signal: AbortSignal,
): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      return await task();
    } catch (thrown) {
      signal.throwIfAborted();
      if (!(thrown instanceof TransientFailure)) throw thrown;
      failures = rules.hasAdvanced?.() ? 1 : failures + 1;
      const waitMs = thrown.retryAfterMs ?? backoffMs(thrown, failures, rules);
      if (failures >= rules.attempts || waitMs > rules.maxWaitMs) {
        throw givenUp(thrown, failures, waitMs);
      }
      rules.onRetry(failures, waitMs, thrown.message);
      await wait(waitMs, undefined, { signal });
    }
  }
}

/** A process that was frozen wakes up with dead connections: a fresh one is worth trying at once. */
function backoffMs({ isConnection }: TransientFailure, failures: number, rules: RetryRules) {
  if (isConnection && failures === 1) return 0;
  return rules.backoffMs * 2 ** (failures - 1) * (0.5 + Math.random() / 2);
}

const givenUp = (failure: TransientFailure, failures: number, waitMs: number): SttError =>
  new SttError(
    'MODEL_DOWNLOAD_FAILED',
    failure.retryAfterMs === waitMs && failures === 1
      ? `${failure.message} and asks to come back in ${Math.ceil(waitMs / 1000)} s`
      : `${failure.message}, ${failures} times in a row`,
    { cause: failure },
  );
