import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import type { WorkerProgress } from '../job.ts';
import type { WireSegment } from '../wire-segment.ts';
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

export interface RemoteWatcher {
  readonly signal: AbortSignal;
  /** May throw, which ends the job there too. */
  onProgress(progress: WorkerProgress): void;
  /** The endpoint has taken the job under that id; waited for, so that it is noted before all else. */
  onSent?(id: string): Promise<void>;
  /** Time on a worker that the job has cost, however it ended. */
  onWorked?(workerMs: number): void;
  /** Whether the job is to go on there although nobody here waits for it any more. */
  leavesRunning?(reason: unknown): boolean;
}

const ENDED: ReadonlySet<string> = new Set(['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT']);
const Segment = z.looseObject({
  start: z.number(),
  end: z.number(),
  text: z.string(),
  confidence: z.number(),
});
const Progress: z.ZodType<WorkerProgress> = z.object({
  stage: z.string().max(64),
  fraction: z.number().min(0).max(1),
  audio_sec: z.number().min(0).optional().catch(undefined),
  segments: z
    .object({
      first: z.number().int().min(0),
      latest: z.array(Segment.transform((segment): WireSegment => segment)),
    })
    .optional()
    .catch(undefined),
}) as z.ZodType<WorkerProgress>;

/**
 * Sends a job to a RunPod endpoint and waits until it has ended there, well or not. It is never sent
 * again after it may have arrived. What ends the waiting early also ends the job there.
 * @throws {SttError} AUDIO_TOO_LARGE before anything is sent, ENDPOINT_REFUSED; ENDPOINT_UNAVAILABLE
 * when nothing runs there, OUTCOME_UNKNOWN when that is not known; QUEUE_TIMEOUT, JOB_TIMEOUT,
 * WORKER_LOST; and JOB_CANCELLED or the signal's reason.
 */
export async function runRemotely(
  input: unknown,
  target: DispatchTarget,
  watcher: RemoteWatcher,
): Promise<JobAnswer> {
  const bodyBytes = Buffer.byteLength(JSON.stringify({ input }));
  if (bodyBytes > MAX_REQUEST_BYTES) throw tooLarge(bodyBytes, MAX_REQUEST_BYTES);
  const remote = new RemoteJob(target, watcher);
  return await remote.ended(await remote.start(input));
}

/**
 * Waits for a job that was sent before, perhaps by another process, as `runRemotely` does.
 * @throws {SttError} as `runRemotely`; WORKER_LOST also when RunPod has forgotten the job.
 */
export const followRemotely = (
  jobId: string,
  target: DispatchTarget,
  watcher: RemoteWatcher,
): Promise<JobAnswer> => new RemoteJob(target, watcher).ended(jobId);

class RemoteJob {
  readonly #endpoint: Endpoint;
  readonly #target: DispatchTarget;
  readonly #polling: Polling;
  readonly #watcher: RemoteWatcher;

  constructor(target: DispatchTarget, watcher: RemoteWatcher) {
    this.#endpoint = new Endpoint(target);
    this.#target = target;
    this.#polling = { ...DEFAULT_POLLING, ...target.polling };
    this.#watcher = watcher;
  }

  /** Repeated only while it certainly had no effect: after a lost answer the job may run already. */
  async start(input: unknown): Promise<string> {
    const { signal } = this.#watcher;
    const policy = this.#target.limits && policyOf(this.#target.limits);
    const request = () => this.#endpoint.run(input, policy);
    const answer = await this.#persist(request, this.#polling.attempts, (e) => e.hadNoEffect).catch(
      (thrown: unknown) => {
        if (signal.aborted) throw cancelled(signal);
        throw sendingFailure(thrown);
      },
    );
    await this.#watcher.onSent?.(answer.id);
    return answer.id;
  }

  async ended(jobId: string): Promise<JobAnswer> {
    const { signal, onWorked, leavesRunning } = this.#watcher;
    const watch = new TimeWatch(this.#target.limits);
    try {
      const answer = await this.#waitForEnd(jobId, watch);
      onWorked?.(answer.executionTime ?? watch.workedMs);
      return answer;
    } catch (thrown) {
      if (signal.aborted && leavesRunning?.(signal.reason)) throw cancelled(signal);
      onWorked?.(watch.workedMs);
      if (isForgotten(thrown)) {
        throw new SttError('WORKER_LOST', 'RunPod no longer knows the job', { cause: thrown });
      }
      const isStopped = await this.#cancel(jobId);
      if (signal.aborted) throw cancelled(signal);
      if (thrown instanceof RequestError) throw lookingFailure(thrown, isStopped);
      throw thrown;
    }
  }

  async #waitForEnd(jobId: string, watch: TimeWatch): Promise<JobAnswer> {
    const { signal, onProgress } = this.#watcher;
    const waits = growingWaits(this.#polling);
    for (;;) {
      await sleep(waits.next().value, undefined, { signal });
      const answer = await this.#persist(
        () => this.#endpoint.status(jobId),
        this.#polling.lookAttempts,
        ({ httpStatus }) => isTransient(httpStatus),
      );
      if (ENDED.has(answer.status)) return answer;
      watch.look(answer.status);
      const progress = Progress.safeParse(answer.output);
      if (progress.success) onProgress(progress.data);
    }
  }

  /** False: it may go on there, until its own time limit at the latest. */
  #cancel(jobId: string): Promise<boolean> {
    return this.#endpoint.cancel(jobId).then(
      () => true,
      () => false,
    );
  }

  /** @throws {RequestError} the last one, or one that another try would not mend. */
  async #persist(
    request: () => Promise<JobAnswer>,
    attempts: number,
    mayRepeat: (error: RequestError) => boolean,
  ): Promise<JobAnswer> {
    const { signal } = this.#watcher;
    const waits = growingWaits(this.#polling);
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        return await request();
      } catch (thrown) {
        const isLast = attempt === attempts;
        if (!(thrown instanceof RequestError) || isLast || !mayRepeat(thrown)) throw thrown;
      }
      await sleep(waits.next().value, undefined, { signal });
    }
  }
}

const isForgotten = (thrown: unknown): boolean =>
  thrown instanceof RequestError && thrown.httpStatus === 404;

/** A request that was not refused and not answered may have had its effect. */
function sendingFailure(thrown: unknown): unknown {
  if (!(thrown instanceof RequestError)) return thrown;
  if (thrown.hadNoEffect || !isTransient(thrown.httpStatus)) return thrown.toSttError();
  const status = thrown.httpStatus === undefined ? 'no answer' : `HTTP ${thrown.httpStatus}`;
  return unknownOutcome(`RunPod may have taken the job (${status})`, thrown);
}

const lookingFailure = (thrown: RequestError, isStopped: boolean): SttError =>
  isStopped || !isTransient(thrown.httpStatus)
    ? thrown.toSttError()
    : unknownOutcome('RunPod took the job and can no longer be asked about it', thrown);

const unknownOutcome = (message: string, cause: unknown): SttError =>
  new SttError('OUTCOME_UNKNOWN', message, { cause });

const cancelled = ({ reason }: AbortSignal): SttError =>
  reason instanceof SttError ? reason : new SttError('JOB_CANCELLED', 'The job was cancelled');
