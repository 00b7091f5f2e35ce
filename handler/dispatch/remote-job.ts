import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import type { JobContext } from '../job.ts';
import { Endpoint, type EndpointAddress, type JobAnswer, RequestError } from './endpoint.ts';
import { MAX_REQUEST_BYTES, tooLarge } from './inline-audio.ts';
import { DEFAULT_POLLING, growingWaits, type Polling } from './polling.ts';
import { isTransient } from './remote-failure.ts';
import { policyOf, type TimeLimits, TimeWatch } from './time-limits.ts';

export interface DispatchTarget extends EndpointAddress {
  readonly polling?: Partial<Polling>;
  /** The endpoint's own without them. */
  readonly limits?: TimeLimits;
}

type Watcher = Pick<JobContext, 'signal' | 'onProgress'>;

const ENDED: ReadonlySet<string> = new Set(['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT']);
const Progress = z.object({ stage: z.string(), fraction: z.number().min(0).max(1) });

/**
 * Sends a job to a RunPod endpoint and waits until it has ended there, well or not. An abort and
 * an exceeded limit of time also cancel it there.
 * @throws {SttError} AUDIO_TOO_LARGE before anything is sent, ENDPOINT_REFUSED,
 * ENDPOINT_UNAVAILABLE, QUEUE_TIMEOUT, JOB_TIMEOUT, WORKER_LOST; and JOB_CANCELLED or the
 * signal's reason.
 */
export async function runRemotely(
  input: unknown,
  target: DispatchTarget,
  watcher: Watcher,
): Promise<JobAnswer> {
  const bodyBytes = Buffer.byteLength(JSON.stringify({ input }));
  if (bodyBytes > MAX_REQUEST_BYTES) throw tooLarge(bodyBytes, MAX_REQUEST_BYTES);
  const remote = new RemoteJob(target, watcher);
  try {
    await remote.start(input);
    return await remote.waitForEnd();
  } catch (thrown) {
    const { signal } = watcher;
    if (signal.aborted || isOverdue(thrown)) await remote.cancel();
    throw signal.aborted ? cancelled(signal) : thrown;
  }
}

class RemoteJob {
  readonly #endpoint: Endpoint;
  readonly #target: DispatchTarget;
  readonly #polling: Polling;
  readonly #watcher: Watcher;
  #id: string | undefined;

  constructor(target: DispatchTarget, watcher: Watcher) {
    this.#endpoint = new Endpoint(target);
    this.#target = target;
    this.#polling = { ...DEFAULT_POLLING, ...target.polling };
    this.#watcher = watcher;
  }

  /** Repeated only while it certainly had no effect: after a lost answer the job may run already. */
  async start(input: unknown): Promise<void> {
    const policy = this.#target.limits && policyOf(this.#target.limits);
    const answer = await this.#persist(() => this.#endpoint.run(input, policy), {
      attempts: this.#polling.attempts,
      mayRepeat: ({ hadNoEffect }) => hadNoEffect,
    });
    this.#id = answer.id;
  }

  async waitForEnd(): Promise<JobAnswer> {
    const { signal, onProgress } = this.#watcher;
    const jobId = this.#id ?? '';
    const watch = new TimeWatch(this.#target.limits);
    const waits = growingWaits(this.#polling);
    for (;;) {
      await sleep(waits.next().value, undefined, { signal });
      const answer = await this.#look(jobId);
      if (ENDED.has(answer.status)) return answer;
      const progress = Progress.safeParse(answer.output);
      if (progress.success) onProgress(progress.data);
      watch.look(answer.status);
    }
  }

  /** Best effort: the job ends by its own time limit at the latest. */
  async cancel(): Promise<void> {
    if (this.#id !== undefined) await this.#endpoint.cancel(this.#id).catch(() => undefined);
  }

  async #look(jobId: string): Promise<JobAnswer> {
    try {
      return await this.#persist(() => this.#endpoint.status(jobId), {
        attempts: this.#polling.lookAttempts,
        mayRepeat: ({ httpStatus }) => isTransient(httpStatus),
      });
    } catch (thrown) {
      if (!(thrown instanceof SttError && thrown.cause instanceof RequestError)) throw thrown;
      if (thrown.cause.httpStatus !== 404) throw thrown;
      throw new SttError('WORKER_LOST', 'RunPod no longer knows the job', { cause: thrown });
    }
  }

  async #persist(
    request: () => Promise<JobAnswer>,
    { attempts, mayRepeat }: { attempts: number; mayRepeat: (error: RequestError) => boolean },
  ): Promise<JobAnswer> {
    const { signal } = this.#watcher;
    const waits = growingWaits(this.#polling);
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        return await request();
      } catch (thrown) {
        if (!(thrown instanceof RequestError)) throw thrown;
        if (attempt === attempts || !mayRepeat(thrown)) throw thrown.toSttError();
      }
      await sleep(waits.next().value, undefined, { signal });
    }
  }
}

const isOverdue = (thrown: unknown): boolean =>
  thrown instanceof SttError && (thrown.code === 'QUEUE_TIMEOUT' || thrown.code === 'JOB_TIMEOUT');

const cancelled = ({ reason }: AbortSignal): SttError =>
  reason instanceof SttError ? reason : new SttError('JOB_CANCELLED', 'The job was cancelled');
