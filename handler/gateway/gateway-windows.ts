import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, SttError } from '../../core/errors.ts';
import {
  Endpoint,
  type EndpointAddress,
  type ExecutionPolicy,
  type JobAnswer,
  RequestError,
} from '../dispatch/endpoint.ts';
import { isTransient } from '../dispatch/remote-failure.ts';
import { outputOf } from '../dispatch/submit-job.ts';
import type { WorkerBudget } from './worker-budget.ts';

/** The input of a `task: "stream"` job: all that a worker needs, so any of them can answer. */
export type WindowJob = Readonly<Record<string, unknown>>;

export interface WindowsOptions {
  readonly target: EndpointAddress;
  /** A later answer is of no use: the next window holds the same audio and more. */
  readonly deadlineMs?: number;
  readonly retryMs?: number;
  /** What windows cost counts as what jobs do. */
  readonly budget?: Pick<WorkerBudget, 'assertLeft' | 'spend'>;
}

/** What makes two windows the same one. */
const IDENTITY = ['session_id', 'epoch', 'seq'] as const;
const DEFAULT_DEADLINE_MS = 15_000;
const DEFAULT_RETRY_MS = 200;
/** The longest that RunPod's synchronous call waits by the SDK's hand. */
const SYNC_WAIT_MS = 90_000;
/** What RunPod accepts at least. */
const MIN_TTL_MS = 10_000;
const MIN_EXECUTION_MS = 5000;

/** Recognises live windows on the workers of a RunPod endpoint; a repeated window does no harm. */
export class GatewayWindows {
  readonly #endpoint: Endpoint;
  readonly #deadlineMs: number;
  readonly #retryMs: number;
  readonly #policy: ExecutionPolicy;
  readonly #budget: WindowsOptions['budget'];
  readonly #underWay = new Map<string, Promise<object>>();

  constructor({ target, deadlineMs, retryMs, budget }: WindowsOptions) {
    this.#budget = budget;
    this.#endpoint = new Endpoint(target);
    this.#deadlineMs = deadlineMs ?? DEFAULT_DEADLINE_MS;
    this.#retryMs = retryMs ?? DEFAULT_RETRY_MS;
    this.#policy = {
      ttl: Math.max(MIN_TTL_MS, this.#deadlineMs),
      executionTimeout: Math.max(MIN_EXECUTION_MS, this.#deadlineMs),
    };
  }

  /**
   * The worker's output for a window; one that is under way already is not sent again.
   * @throws {SttError} what the worker reported, QUEUE_TIMEOUT after the deadline,
   * ENDPOINT_UNAVAILABLE, ENDPOINT_REFUSED, WORKER_LOST; JOB_CANCELLED or the signal's reason.
   */
  async recognize(window: WindowJob, signal: AbortSignal): Promise<object> {
    if (signal.aborted) throw cancelled(signal);
    const key = JSON.stringify(IDENTITY.map((field) => window[field]));
    let answer = this.#underWay.get(key);
    if (answer === undefined) {
      answer = this.#ask(window).finally(() => this.#underWay.delete(key));
      answer.catch(() => undefined); // whoever asked may have left
      this.#underWay.set(key, answer);
    }
    return orAborted(answer, signal);
  }

  /** Sent again after any failure that another try may mend, within the deadline. */
  async #ask(window: WindowJob): Promise<object> {
    const deadline = AbortSignal.timeout(this.#deadlineMs);
    for (let attempt = 1; ; attempt++) {
      try {
        return outputOf(await orLate(this.#send(window), deadline));
      } catch (thrown) {
        if (!mayRepeat(thrown) || deadline.aborted) throw asSttError(thrown);
      }
      await sleep(this.#retryMs * attempt, undefined, { signal: deadline }).catch(() => {
        throw late();
      });
    }
  }

  async #send(window: WindowJob): Promise<JobAnswer> {
    this.#budget?.assertLeft();
    const answer = await this.#endpoint.runSync(window, this.#policy, SYNC_WAIT_MS);
    this.#budget?.spend(answer.executionTime ?? 0);
    return answer;
  }
}

/** Another try within the deadline comes to the same. */
const NOT_MENDED: ReadonlySet<ErrorCode> = new Set(['QUEUE_TIMEOUT', 'BUDGET_EXCEEDED']);

const mayRepeat = (thrown: unknown): boolean =>
  thrown instanceof RequestError
    ? isTransient(thrown.httpStatus)
    : thrown instanceof SttError && !NOT_MENDED.has(thrown.code) && thrown.retryable;

const asSttError = (thrown: unknown): SttError =>
  thrown instanceof RequestError ? thrown.toSttError() : SttError.from(thrown);

const late = (): SttError =>
  new SttError('QUEUE_TIMEOUT', 'No worker answered for the window in time');

const cancelled = ({ reason }: AbortSignal): SttError =>
  reason instanceof SttError ? reason : new SttError('JOB_CANCELLED', 'The window was cancelled');

const orLate = <T>(work: Promise<T>, deadline: AbortSignal): Promise<T> =>
  orElse(work, deadline, late);

const orAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  orElse(work, signal, () => cancelled(signal));

/** The SDK's calls cannot be ended, only no longer waited for. */
function orElse<T>(work: Promise<T>, signal: AbortSignal, reason: () => SttError): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(reason());
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
