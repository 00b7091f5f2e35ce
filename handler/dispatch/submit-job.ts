import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import type { JobContext } from '../job.ts';
import { Endpoint, type EndpointAddress, type JobAnswer, RequestError } from './endpoint.ts';
import { MAX_REQUEST_BYTES, tooLarge } from './inline-audio.ts';
import { endedFailure, isTransient } from './remote-failure.ts';

interface Polling {
  /** The wait before the first look, and its growth up to the longest one. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  readonly growth: number;
  /** Failed requests in a row before giving up. */
  readonly attempts: number;
}

export interface DispatchTarget extends EndpointAddress {
  readonly polling?: Partial<Polling>;
}

const DEFAULT_POLLING: Polling = {
  firstWaitMs: 500,
  longestWaitMs: 5000,
  growth: 1.5,
  attempts: 6,
};

const ENDED: ReadonlySet<string> = new Set(['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT']);
const Progress = z.object({ stage: z.string(), fraction: z.number().min(0).max(1) });

/**
 * Runs a job on a RunPod endpoint and returns its output. An abort also cancels it there.
 * @throws {SttError} what the worker reported, JOB_CANCELLED, AUDIO_TOO_LARGE before anything is
 * sent, INPUT_INVALID for a refused key or unknown endpoint, INTERNAL when RunPod fails.
 */
export async function submitJob(
  input: unknown,
  target: DispatchTarget,
  context: Pick<JobContext, 'signal' | 'onProgress'>,
): Promise<object> {
  const bodyBytes = Buffer.byteLength(JSON.stringify({ input }));
  if (bodyBytes > MAX_REQUEST_BYTES) throw tooLarge(bodyBytes, MAX_REQUEST_BYTES);
  const remote = new RemoteJobs(target, context);
  let jobId: string | undefined;
  try {
    jobId = (await remote.start(input)).id;
    return outputOf(await remote.waitForEnd(jobId));
  } catch (thrown) {
    if (!context.signal.aborted) throw thrown;
    if (jobId !== undefined) await remote.cancel(jobId);
    throw cancelled(context.signal);
  }
}

class RemoteJobs {
  readonly #endpoint: Endpoint;
  readonly #polling: Polling;
  readonly #context: Pick<JobContext, 'signal' | 'onProgress'>;

  constructor(target: DispatchTarget, context: Pick<JobContext, 'signal' | 'onProgress'>) {
    this.#endpoint = new Endpoint(target);
    this.#polling = { ...DEFAULT_POLLING, ...target.polling };
    this.#context = context;
  }

  /** Only a refused request is repeated: after a lost answer the job may run already. */
  start(input: unknown): Promise<JobAnswer> {
    return this.#persist(
      () => this.#endpoint.run(input),
      (httpStatus) => httpStatus === 429,
    );
  }

  async waitForEnd(jobId: string): Promise<JobAnswer> {
    const { signal } = this.#context;
    const waits = this.#waits();
    for (;;) {
      await sleep(waits.next().value, undefined, { signal });
      const answer = await this.#persist(() => this.#endpoint.status(jobId), isTransient);
      if (ENDED.has(answer.status)) return answer;
      const progress = Progress.safeParse(answer.output);
      if (progress.success) this.#context.onProgress(progress.data);
    }
  }

  /** Best effort: the job ends by its own time limit at the latest. */
  async cancel(jobId: string): Promise<void> {
    await this.#endpoint.cancel(jobId).catch(() => undefined);
  }

  async #persist(
    request: () => Promise<JobAnswer>,
    mayRepeat: (httpStatus: number | undefined) => boolean,
  ): Promise<JobAnswer> {
    const { signal } = this.#context;
    const waits = this.#waits();
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        return await request();
      } catch (thrown) {
        if (!(thrown instanceof RequestError)) throw thrown;
        const isLast = attempt === this.#polling.attempts;
        if (isLast || !mayRepeat(thrown.httpStatus)) throw thrown.toSttError();
      }
      await sleep(waits.next().value, undefined, { signal });
    }
  }

  *#waits(): Generator<number, never> {
    const { firstWaitMs, longestWaitMs, growth } = this.#polling;
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(longestWaitMs, waitMs * growth)) {
      yield waitMs;
    }
  }
}

function outputOf({ status, output, error }: JobAnswer): object {
  if (status !== 'COMPLETED') throw endedFailure(status, error);
  if (typeof output === 'object' && output !== null) return output;
  throw new SttError('INTERNAL', 'The endpoint finished the job without a result');
}

const cancelled = ({ reason }: AbortSignal): SttError =>
  reason instanceof SttError ? reason : new SttError('JOB_CANCELLED', 'The job was cancelled');
