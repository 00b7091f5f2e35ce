import { randomUUID } from 'node:crypto';
import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { JobProgress } from '../job.ts';
import type { JobOutput } from '../run-job.ts';
import { pause } from '../runpod/pause.ts';
import type { JobClaims } from '../store/job-claims.ts';
import { type JobRow, tenantOf } from '../store/job-row.ts';
import type { ExecutionContext, JobExecutor, ServiceJob } from './contracts.ts';
import type { LiveJobs } from './live-jobs.ts';
import type { UploadFolder } from './upload-folder.ts';

/** Failures of whatever ran the job, not of the job. */
const RUN_AGAIN: ReadonlySet<string> = new Set([
  'SHUTTING_DOWN',
  'ENGINE_CRASHED',
  'MODEL_LOADING',
  'ENDPOINT_UNAVAILABLE',
]);

interface RunnerTiming {
  /** How soon jobs that came to other processes are noticed. */
  readonly pollMs: number;
  readonly renewMs: number;
  /** At most one write of the progress in this time. */
  readonly progressMs: number;
  /** Wait before a second run, doubled for the third. */
  readonly rerunMs: number;
  /** Wait before the database is asked again after a failure. */
  readonly storeRetryMs: number;
}

export interface RunnerParts {
  readonly claims: JobClaims;
  readonly uploads: UploadFolder;
  readonly executor: JobExecutor;
  readonly live: LiveJobs;
  readonly logger: Logger;
  readonly timing: RunnerTiming;
  /** Jobs at the same time in this process. */
  readonly concurrency: number;
  readonly maxAttempts: number;
  /** A job has been settled here. */
  readonly onSettled: (row: JobRow) => void;
}

interface Running {
  readonly id: string;
  readonly lease: string;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** Takes queued jobs and runs them; a job that it does not end somebody else will. */
export class JobRunner {
  readonly #parts: RunnerParts;
  /** By lease: a job taken over by this very process runs twice for a moment. */
  readonly #running = new Map<string, Running>();
  readonly #stopping = new AbortController();
  readonly #idle = new AbortController();
  #wakeUp = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#loops = Promise.all([this.#takeJobs(), this.#renewLeases()]);
  }

  /** There may be something to take. */
  wake(): void {
    this.#wakeUp.abort();
  }

  /** Stops the job if it runs here; its result is no longer wanted. */
  abort(id: string): void {
    const reason = new SttError('JOB_CANCELLED', 'The job was cancelled');
    for (const running of this.#running.values())
      if (running.id === id) running.abort.abort(reason);
  }

  /** Takes no more; what is not done when `hurry` fires goes back to the queue. */
  async stop(hurry: AbortSignal): Promise<void> {
    this.#stopping.abort();
    this.wake();
    const stopJobs = (): void => {
      const reason = new SttError('SHUTTING_DOWN', 'The service stopped before the job ended');
      for (const { abort } of this.#running.values()) abort.abort(reason);
    };
    hurry.addEventListener('abort', stopJobs, { once: true });
    if (hurry.aborted) stopJobs();
    await this.#loops;
    hurry.removeEventListener('abort', stopJobs);
  }

  async #takeJobs(): Promise<void> {
    const { concurrency, logger, timing } = this.#parts;
    while (!this.#stopping.signal.aborted) {
      this.#wakeUp = new AbortController();
      try {
        while (this.#running.size < concurrency && !this.#stopping.signal.aborted) {
          if (!(await this.#takeOne())) break;
        }
      } catch (thrown) {
        logger.warn({ err: SttError.from(thrown) }, 'job store failed');
      }
      await pause(timing.pollMs, this.#wakeUp.signal);
    }
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    this.#idle.abort();
  }

  async #takeOne(): Promise<boolean> {
    const lease = randomUUID();
    const row = await this.#parts.claims.claim(lease, this.#parts.uploads.volume);
    if (row === undefined) return false;
    const abort = new AbortController();
    const ended = this.#run(row, lease, abort.signal).finally(() => {
      this.#running.delete(lease);
      this.#parts.live.end(row.id, row.attempts);
      this.wake();
    });
    this.#running.set(lease, { id: row.id, lease, abort, ended });
    return true;
  }

  async #run(row: JobRow, lease: string, signal: AbortSignal): Promise<void> {
    const { live, executor } = this.#parts;
    const logger = this.#parts.logger.child({ requestId: row.id, tenant: tenantOf(row.tenant) });
    live.begin(row.id, row.attempts);
    const saveProgress = this.#progressWriter(lease, logger);
    const context: ExecutionContext = {
      signal,
      logger,
      onProgress: (progress) => {
        live.progressed(row.id, progress);
        saveProgress(progress);
      },
      onSegments: (segments) => live.addSegments(row.id, segments),
    };
    const output = await outputOf(() => executor.execute(this.#serviceJob(row), context));
    await this.#untilStored(() => this.#conclude(row, lease, output), logger);
  }

  /** Settles the job, or gives it back; without effect if it is no longer ours. */
  async #conclude(row: JobRow, lease: string, output: JobOutput): Promise<void> {
    const { claims, uploads, maxAttempts, timing, onSettled, logger } = this.#parts;
    const code = 'error' in output ? output.error.code : undefined;
    const isStopped = code === 'SHUTTING_DOWN' && this.#stopping.signal.aborted;
    if (isStopped || (code !== undefined && RUN_AGAIN.has(code) && row.attempts < maxAttempts)) {
      const delayMs = isStopped ? 0 : timing.rerunMs * 2 ** (row.attempts - 1);
      const isQueued = await claims.release(lease, delayMs, !isStopped);
      if (isQueued) logger.info({ requestId: row.id, code, delayMs }, 'job queued again');
      return;
    }
    const state =
      code === undefined ? 'completed' : code === 'JOB_CANCELLED' ? 'cancelled' : 'failed';
    const settled = await claims.settle(lease, { state, output });
    if (settled === undefined) return;
    if (row.upload_name !== null) await uploads.remove(row.upload_name);
    onSettled(settled);
  }

  #serviceJob({ id, tenant, input, upload_name: name, upload_bytes: bytes }: JobRow): ServiceJob {
    const upload =
      name === null ? null : { path: this.#parts.uploads.pathOf(name), bytes: bytes ?? 0 };
    return { id, tenant: tenantOf(tenant), input, upload };
  }

  #progressWriter(lease: string, logger: Logger): (progress: JobProgress) => void {
    let nextMs = 0;
    return (progress) => {
      if (performance.now() < nextMs) return;
      nextMs = performance.now() + this.#parts.timing.progressMs;
      this.#parts.claims
        .saveProgress(lease, progress)
        .catch((thrown: unknown) =>
          logger.debug({ err: SttError.from(thrown) }, 'progress not saved'),
        );
    };
  }

  /** A result is worth waiting for the database; should others take the job, ours is ignored. */
  async #untilStored(work: () => Promise<void>, logger: Logger): Promise<void> {
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      try {
        await work();
        return;
      } catch (thrown) {
        logger.warn({ err: SttError.from(thrown), attempt }, 'job store failed');
        await pause(this.#parts.timing.storeRetryMs);
      }
    }
    logger.error('job result not stored');
  }

  /** Also finds jobs that were cancelled, deleted or taken over elsewhere. */
  async #renewLeases(): Promise<void> {
    const { claims, logger, timing } = this.#parts;
    while (!this.#idle.signal.aborted) {
      await pause(timing.renewMs, this.#idle.signal);
      const held = [...this.#running.values()];
      try {
        const ours = await claims.renew(held.map(({ lease }) => lease));
        for (const { id, lease } of held) if (!ours.has(lease)) this.abort(id);
      } catch (thrown) {
        logger.warn({ err: SttError.from(thrown) }, 'job store failed');
      }
    }
  }
}

/** Whatever an executor does, its job gets an output. */
async function outputOf(execute: () => Promise<JobOutput>): Promise<JobOutput> {
  try {
    return await execute();
  } catch (thrown) {
    return { error: SttError.from(thrown).toJSON() };
  }
}
