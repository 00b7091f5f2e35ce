import { type ErrorCode, SttError } from '../../core/errors.ts';
import {
  Endpoint,
  type EndpointHealth,
  type JobAnswer,
  RequestError,
} from '../dispatch/endpoint.ts';
import type { DispatchTarget } from '../dispatch/remote-job.ts';
import { outputOf } from '../dispatch/submit-job.ts';
import type { TimeLimits } from '../dispatch/time-limits.ts';
import type { ExecutionContext, JobExecutor, ServiceJob } from '../jobs/contracts.ts';
import type { JobResult } from '../result.ts';
import type { JobOutput } from '../run-job.ts';
import { GatewayRun } from './gateway-run.ts';
import type { HandoverOptions } from './hand-over.ts';
import { RemoteProgress } from './remote-progress.ts';
import type { WorkerBudget } from './worker-budget.ts';
import { readWorkerResult } from './worker-result.ts';

export interface GatewayOptions {
  readonly target: DispatchTarget & { readonly limits: TimeLimits };
  readonly handover: Omit<HandoverOptions, 'validMs'>;
  /** How often a job is sent when its workers fail. */
  readonly maxAttempts: number;
  readonly budget?: Pick<WorkerBudget, 'assertLeft' | 'spend'>;
  /** Answers when the endpoint cannot. */
  readonly fallback?: JobExecutor | undefined;
}

/** The endpoint's failures, not the job's: then another executor may do better. */
const POOL_FAILURES: ReadonlySet<ErrorCode> = new Set([
  'ENDPOINT_UNAVAILABLE',
  'ENDPOINT_REFUSED',
  'OUTCOME_UNKNOWN',
  'BUDGET_EXCEEDED',
  'QUEUE_TIMEOUT',
  'WORKER_LOST',
  'HANDOVER_FAILED',
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
    const progress = new RemoteProgress(context);
    try {
      const { result, fields } = await this.#dispatch(job, context, progress);
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
        const here = { ...context, ...progress.local() };
        return withWarning(await fallback.execute(job, here), error.code);
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

  async #dispatch(job: ServiceJob, context: ExecutionContext, progress: RemoteProgress) {
    const { target, handover, maxAttempts } = this.#options;
    const { maxQueueMs, maxJobMs } = target.limits;
    const options = { ...handover, validMs: maxAttempts * (maxQueueMs + maxJobMs) };
    const run = new GatewayRun(job, { ...this.#options, handover: options, context, progress });
    try {
      const { answer, attempt } = await run.persist();
      const result = readWorkerResult(outputOf(answer));
      return { result, fields: { attempt, ...timesOf(answer) } };
    } finally {
      if (!(await run.release())) context.logger.warn('recording left behind in the bucket');
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
