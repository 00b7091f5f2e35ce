import { type ErrorCode, SttError } from '../../core/errors.ts';
import {
  Endpoint,
  type EndpointHealth,
  type JobAnswer,
  RequestError,
} from '../dispatch/endpoint.ts';
import { type DispatchTarget, runRemotely } from '../dispatch/remote-job.ts';
import { outputOf } from '../dispatch/submit-job.ts';
import type { TimeLimits } from '../dispatch/time-limits.ts';
import type { ExecutionContext, JobExecutor, ServiceJob } from '../jobs/contracts.ts';
import type { JobResult } from '../result.ts';
import type { JobOutput } from '../run-job.ts';
import { type HandoverOptions, handOver } from './hand-over.ts';
import { risingProgress } from './rising-progress.ts';
import { readWorkerResult } from './worker-result.ts';

export interface GatewayOptions {
  readonly target: DispatchTarget & { readonly limits: TimeLimits };
  readonly handover: Omit<HandoverOptions, 'validMs'>;
  /** How often a job is sent when its workers fail. */
  readonly maxAttempts: number;
  /** Answers when the endpoint cannot. */
  readonly fallback?: JobExecutor | undefined;
}

/** The endpoint's failures, not the job's: then another executor may do better. */
const POOL_FAILURES: ReadonlySet<ErrorCode> = new Set([
  'ENDPOINT_UNAVAILABLE',
  'ENDPOINT_REFUSED',
  'QUEUE_TIMEOUT',
  'WORKER_LOST',
  'HANDOVER_FAILED',
]);
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
const HEALTH_VALID_MS = 2000;

/** Runs jobs on the workers of a RunPod endpoint. */
export class GatewayExecutor implements JobExecutor {
  readonly #options: GatewayOptions;
  readonly #endpoint: Endpoint;
  #health: { readonly askedAt: number; readonly answer: Promise<EndpointHealth> } | undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#endpoint = new Endpoint(options.target);
  }

  async execute(job: ServiceJob, context: ExecutionContext): Promise<JobOutput> {
    const startedAt = performance.now();
    const elapsed = () => ({ elapsedSec: Math.round(performance.now() - startedAt) / 1000 });
    try {
      const { result, fields } = await this.#dispatch(job, context);
      context.logger.info(
        { audioSec: result.audio_duration, ...elapsed(), ...fields },
        'job completed',
      );
      return result;
    } catch (thrown) {
      const error = errorOf(thrown, context.signal);
      const { fallback } = this.#options;
      if (fallback !== undefined && POOL_FAILURES.has(error.code)) {
        context.logger.warn({ ...elapsed(), err: error }, 'job falls back to this process');
        return withWarning(await fallback.execute(job, context), error.code);
      }
      if (error.code === 'JOB_CANCELLED') context.logger.info(elapsed(), 'job cancelled');
      else context.logger.error({ ...elapsed(), err: error }, 'job failed');
      return { error: error.toJSON() };
    }
  }

  /**
   * Queue and workers of the endpoint, at most two seconds old.
   * @throws {SttError} ENDPOINT_UNAVAILABLE, ENDPOINT_REFUSED
   */
  async health(): Promise<EndpointHealth> {
    const now = performance.now();
    if (this.#health === undefined || now - this.#health.askedAt > HEALTH_VALID_MS) {
      this.#health = { askedAt: now, answer: this.#endpoint.health() };
    }
    try {
      return await this.#health.answer;
    } catch (thrown) {
      throw thrown instanceof RequestError ? thrown.toSttError() : thrown;
    }
  }

  async #dispatch(job: ServiceJob, context: ExecutionContext) {
    const { target, handover, maxAttempts } = this.#options;
    const { maxQueueMs, maxJobMs } = target.limits;
    const validMs = maxAttempts * (maxQueueMs + maxJobMs);
    const { signal, logger } = context;
    const remote = await handOver(job, { ...handover, validMs }, signal);
    try {
      return await this.#persist(remote.input, { signal, logger, ...risingProgress(context) });
    } finally {
      if (!(await remote.release())) logger.warn('recording left behind in the bucket');
    }
  }

  async #persist(
    input: Readonly<Record<string, unknown>>,
    context: Pick<ExecutionContext, 'signal' | 'onProgress' | 'logger'>,
  ) {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await runRemotely(input, this.#options.target, context);
        const result = readWorkerResult(outputOf(answer));
        return { result, fields: { attempt, ...timesOf(answer) } };
      } catch (thrown) {
        const mayRepeat = thrown instanceof SttError && HARMLESS_TO_REPEAT.has(thrown.code);
        const isLast = attempt >= this.#options.maxAttempts;
        if (!mayRepeat || isLast || context.signal.aborted) throw thrown;
        context.logger.warn({ attempt, err: thrown }, 'job sent again');
      }
    }
  }
}

const timesOf = ({ delayTime, executionTime }: JobAnswer) => ({
  ...(delayTime !== undefined && { queueMs: delayTime }),
  ...(executionTime !== undefined && { workerMs: executionTime }),
});

/** What an aborted stage throws may be anything: then the abort is the reason. */
function errorOf(thrown: unknown, { aborted, reason }: AbortSignal): SttError {
  if (!aborted || thrown instanceof SttError) return SttError.from(thrown);
  if (reason instanceof SttError) return reason;
  return new SttError('JOB_CANCELLED', 'The job was cancelled', { cause: thrown });
}

/** Never silently: the result says who computed it. */
function withWarning(output: JobOutput, code: ErrorCode): JobOutput {
  if ('error' in output) return output;
  const message = `The endpoint failed (${code}); the gateway's own engine answered`;
  const result: JobResult = {
    ...output,
    warnings: [...output.warnings, { code: 'FALLBACK_USED', message }],
  };
  return result;
}
