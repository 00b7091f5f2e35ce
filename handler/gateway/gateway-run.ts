import { type ErrorCode, SttError } from '../../core/errors.ts';
import type { JobAnswer } from '../dispatch/endpoint.ts';
import {
  type DispatchTarget,
  followRemotely,
  type RemoteWatcher,
  runRemotely,
} from '../dispatch/remote-job.ts';
import { outputOf } from '../dispatch/submit-job.ts';
import type { ExecutionContext, ServiceJob } from '../jobs/contracts.ts';
import { isContinued } from '../jobs/taken-over.ts';
import { type HandoverOptions, handOver, type RemoteInput, resumeHandover } from './hand-over.ts';
import type { RemoteProgress } from './remote-progress.ts';
import type { WorkerBudget } from './worker-budget.ts';

/** A job has ended with these and left nothing behind: it may run again. */
const HARMLESS_TO_REPEAT: ReadonlySet<ErrorCode> = new Set([
  'WORKER_LOST',
  'ENGINE_CRASHED',
  'SHUTTING_DOWN',
  'GPU_OUT_OF_MEMORY',
  'DEVICE_UNAVAILABLE',
  'MODEL_LOAD_FAILED',
  'MODEL_DOWNLOAD_FAILED',
  'DISK_FULL',
]);
/** How a job ends that an earlier process sent and could no longer serve: it is sent anew. */
const LOST_WITH_SENDER: ReadonlySet<ErrorCode> = new Set(['JOB_CANCELLED', 'WORKER_LOST']);
/** What a worker says that came for a recording when nobody was there. */
const NOT_SERVED: ReadonlySet<ErrorCode> = new Set([
  'AUDIO_NOT_FOUND',
  'AUDIO_FETCH_REFUSED',
  'AUDIO_FETCH_FAILED',
  'AUDIO_FETCH_TIMEOUT',
]);

interface RunParts {
  readonly target: DispatchTarget;
  readonly handover: HandoverOptions;
  readonly maxAttempts: number;
  readonly budget?: Pick<WorkerBudget, 'assertLeft' | 'spend'>;
  readonly context: ExecutionContext;
  readonly progress: RemoteProgress;
}

/** One job until it has ended for good: followed where it runs already, sent, sent again. */
export class GatewayRun {
  readonly #job: ServiceJob;
  readonly #parts: RunParts;
  readonly #watcher: RemoteWatcher;
  #handedOver: Promise<RemoteInput> | undefined;
  #resumed: RemoteInput['release'] | undefined;
  /** The job goes on there, and its worker may still come for the recording. */
  #isLeft = false;
  /** Whoever runs the job again will find it there. */
  #isNoted = false;

  constructor(job: ServiceJob, parts: RunParts) {
    this.#job = job;
    this.#parts = parts;
    const { context, progress, budget } = parts;
    this.#watcher = {
      signal: context.signal,
      onProgress: progress.onProgress,
      onSent: (id) => this.#note(id),
      onWorked: (workerMs) => budget?.spend(workerMs),
      leavesRunning: (reason) => context.remote !== undefined && isContinued(reason),
    };
  }

  /** @throws {SttError} what the last run failed with. */
  async persist(): Promise<{ readonly answer: JobAnswer; readonly attempt: number }> {
    const { context, maxAttempts } = this.#parts;
    const followed = context.remote?.id ?? null;
    if (followed !== null) {
      const answer = await this.#follow(followed);
      if (answer !== undefined) return { answer, attempt: 1 };
    }
    for (let attempt = 1; ; attempt++) {
      try {
        return { answer: await this.#send(), attempt };
      } catch (thrown) {
        const mayRepeat = thrown instanceof SttError && HARMLESS_TO_REPEAT.has(thrown.code);
        if (!mayRepeat || attempt >= maxAttempts || context.signal.aborted) throw thrown;
        context.logger.warn({ attempt, err: thrown }, 'job sent again');
      }
    }
  }

  /** After the job: false when a copy of the recording may be left. */
  async release(): Promise<boolean> {
    if (this.#isLeft) return true;
    const handed = await this.#handedOver?.catch(() => undefined);
    const isReleased = (await handed?.release()) ?? true;
    return ((await this.#resumed?.()) ?? true) && isReleased;
  }

  /** The job that an earlier process has sent; undefined if it has to be sent anew. */
  async #follow(jobId: string): Promise<JobAnswer | undefined> {
    const { context, target, handover } = this.#parts;
    context.logger.info({ remoteId: jobId }, 'job followed on the endpoint');
    this.#isNoted = true;
    this.#resumed = await resumeHandover(this.#job, handover);
    try {
      return await this.#ended(followRemotely(jobId, target, this.#watcher));
    } catch (thrown) {
      if (context.signal.aborted || !(thrown instanceof SttError)) throw thrown;
      const isOurs = this.#job.upload !== null && NOT_SERVED.has(thrown.code);
      const isLost = LOST_WITH_SENDER.has(thrown.code) || HARMLESS_TO_REPEAT.has(thrown.code);
      if (!isOurs && !isLost) throw thrown;
      context.logger.warn({ err: thrown }, 'job sent again');
      return undefined;
    }
  }

  async #send(): Promise<JobAnswer> {
    const { context, target, handover, budget } = this.#parts;
    budget?.assertLeft();
    this.#handedOver ??= handOver(this.#job, handover, context.signal);
    const { input } = await this.#handedOver;
    return await this.#ended(runRemotely(input, target, this.#watcher));
  }

  /** An answer with a result; whatever else it ended with there is noted to run no more. */
  async #ended(running: Promise<JobAnswer>): Promise<JobAnswer> {
    try {
      const answer = await running;
      outputOf(answer);
      return answer;
    } catch (thrown) {
      const { signal } = this.#parts.context;
      const isContinuedThere =
        signal.aborted && this.#watcher.leavesRunning?.(signal.reason) === true;
      const isUnknown = thrown instanceof SttError && thrown.code === 'OUTCOME_UNKNOWN';
      this.#isLeft = (isContinuedThere || isUnknown) && this.#isNoted;
      if (!this.#isLeft) await this.#note(null);
      throw thrown;
    }
  }

  /** Best effort: should it fail and this process too, the job is sent once more. */
  async #note(remoteId: string | null): Promise<void> {
    this.#isNoted = remoteId !== null && this.#parts.context.remote !== undefined;
    const { remote, logger } = this.#parts.context;
    await remote?.save(remoteId).catch((thrown: unknown) => {
      logger.warn({ err: SttError.from(thrown) }, 'job store failed');
    });
  }
}
