import { randomUUID } from 'node:crypto';
import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { JobOutput } from '../run-job.ts';
import { pause } from '../runpod/pause.ts';
import type { Claimant, JobClaims } from '../store/job-claims.ts';
import { type ClaimedJob, type JobRow, tenantOf } from '../store/job-row.ts';
import { type Aftermath, aftermathOf } from './aftermath.ts';
import type { JobExecutor, ServiceJob } from './contracts.ts';
import type { LiveJobs } from './live-jobs.ts';
import { runContextOf } from './run-context.ts';
import { TakenOver } from './taken-over.ts';
import type { UploadFolder } from './upload-folder.ts';

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

export interface RunnerParts extends Pick<Claimant, 'mayRun'> {
  readonly claims: JobClaims;
  readonly uploads: UploadFolder;
  readonly executor: JobExecutor;
  readonly live: LiveJobs;
  readonly logger: Logger;
  readonly timing: RunnerTiming;
  /** Jobs at the same time in this process. */
  readonly concurrency: number;
  readonly maxAttempts: number;
  /** Nothing is taken before; rejects where nothing will ever run here. */
  readonly ready: (signal: AbortSignal) => Promise<unknown>;
  /** Whether the executor tries again by itself what another run may mend. */
  readonly repeatsFailures: () => boolean;
  /** A job has been settled here. */
  readonly onSettled: (row: JobRow) => void;
}

interface Running {
  readonly id: string;
  readonly tenant: string | null;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

const MAX_STORE_RETRY_MS = 30_000;

/** Takes queued jobs and runs them; a job that it does not end somebody else will. */
export class JobRunner {
  readonly #parts: RunnerParts;
  /** By lease: a job taken over by this very process runs twice for a moment. */
  readonly #running = new Map<string, Running>();
  /** The lease of a job that is being taken: nobody else may think it dead. */
  #claiming: string | undefined;
  readonly #stopping = new AbortController();
  /** What is not stored by now is left to the next process. */
  readonly #hurry = new AbortController();
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
    for (const running of this.#running.values()) if (running.id === id) cancel(running);
  }

  /** Leases of jobs that run here or are being taken. */
  heldLeases(): readonly string[] {
    return [...this.#running.keys(), ...(this.#claiming === undefined ? [] : [this.#claiming])];
  }

  /** Jobs of the tenant at work in this process. */
  runningOf(tenant: string | null): number {
    return [...this.#running.values()].filter((running) => running.tenant === tenant).length;
  }

  /** Takes no more; what is not done when `hurry` fires goes back to the queue. */
  async stop(hurry: AbortSignal): Promise<void> {
    this.#stopping.abort();
    this.wake();
    const stopJobs = (): void => {
      const reason = new SttError('SHUTTING_DOWN', 'The service stopped before the job ended');
      for (const { abort } of this.#running.values()) abort.abort(reason);
      this.#hurry.abort();
    };
    hurry.addEventListener('abort', stopJobs, { once: true });
    if (hurry.aborted) stopJobs();
    await this.#loops;
    hurry.removeEventListener('abort', stopJobs);
  }

  async #takeJobs(): Promise<void> {
    const { concurrency, timing, ready } = this.#parts;
    const { signal } = this.#stopping;
    const mayTake = await ready(signal).then(
      () => true,
      () => false,
    );
    while (mayTake && !signal.aborted) {
      this.#wakeUp = new AbortController();
      try {
        while (this.#running.size < concurrency && !signal.aborted) {
          if (!(await this.#takeOne())) break;
        }
      } catch (thrown) {
        this.#warnOfStore(thrown);
      }
      await pause(timing.pollMs, this.#wakeUp.signal);
    }
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    this.#idle.abort();
  }

  async #takeOne(): Promise<boolean> {
    const { claims, uploads, mayRun, live } = this.#parts;
    const lease = randomUUID();
    this.#claiming = lease;
    try {
      const row = await claims.claim(lease, { volume: uploads.volume, mayRun });
      if (row === undefined) return false;
      if (this.#stopping.signal.aborted) {
        await claims.release(lease, 0, false);
        return false;
      }
      const abort = new AbortController();
      const ended = this.#run(row, lease, abort.signal).finally(() => {
        this.#running.delete(lease);
        live.end(row.id, row.attempts);
        this.wake();
      });
      this.#running.set(lease, { id: row.id, tenant: tenantOf(row.tenant), abort, ended });
      return true;
    } finally {
      this.#claiming = undefined;
    }
  }

  async #run(row: ClaimedJob, lease: string, signal: AbortSignal): Promise<void> {
    const { live, executor, claims, timing } = this.#parts;
    const logger = this.#parts.logger.child({
      requestId: row.request_id ?? row.id,
      jobId: row.id,
      tenant: tenantOf(row.tenant),
    });
    live.begin(row.id, row.attempts);
    const run = runContextOf(row, lease, { live, claims, logger, signal, timing });
    const output = await outputOf(() => executor.execute(this.#serviceJob(row), run.context));
    const after = aftermathOf(output, row.attempts, {
      maxAttempts: this.#parts.maxAttempts,
      isStopping: this.#stopping.signal.aborted,
      hasRepeated: this.#parts.repeatsFailures(),
      goesOnElsewhere: run.remoteId() !== null,
    });
    await this.#untilStored(() => this.#conclude(row, lease, { output, after }, logger), logger);
  }

  /** Settles the job, or gives it back; without effect if it is no longer ours. */
  async #conclude(
    row: ClaimedJob,
    lease: string,
    { output, after }: { readonly output: JobOutput; readonly after: Aftermath },
    logger: Logger,
  ): Promise<void> {
    const { claims, uploads, timing, onSettled } = this.#parts;
    if (after.kind === 'again') {
      const { isCounted, code } = after;
      const delayMs = after.isAtOnce ? 0 : timing.rerunMs * 2 ** (row.attempts - 1);
      const isQueued = await claims.release(lease, delayMs, isCounted);
      if (isQueued) logger.info({ code, delayMs }, 'job queued again');
      return;
    }
    const settled = await claims.settle(lease, { state: after.state, output });
    if (settled === undefined) return;
    if (row.upload_name !== null) await uploads.remove(row.upload_name);
    onSettled(settled);
  }

  #serviceJob(row: ClaimedJob): ServiceJob {
    const { id, tenant, input, upload_name: name, upload_bytes: bytes } = row;
    const upload =
      name === null ? null : { path: this.#parts.uploads.pathOf(name), bytes: bytes ?? 0 };
    return { id, tenant: tenantOf(tenant), input, upload };
  }

  /** A result is worth waiting for the database; should others take the job, ours is ignored. */
  async #untilStored(work: () => Promise<void>, logger: Logger): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await work();
        return;
      } catch (thrown) {
        logger.warn({ err: SttError.from(thrown), attempt }, 'job store failed');
      }
      if (this.#hurry.signal.aborted) break;
      const waitMs = Math.min(MAX_STORE_RETRY_MS, this.#parts.timing.storeRetryMs * attempt);
      await pause(waitMs, this.#hurry.signal);
    }
    logger.error('job result not stored');
  }

  /** Also finds jobs that were cancelled, deleted or taken over elsewhere. */
  async #renewLeases(): Promise<void> {
    const { claims, timing } = this.#parts;
    while (!this.#idle.signal.aborted) {
      await pause(timing.renewMs, this.#idle.signal);
      const held = [...this.#running];
      try {
        const ours = await claims.renew(held.map(([lease]) => lease));
        for (const [lease, running] of held) {
          if (ours.has(lease)) continue;
          if (await claims.isUnsettled(running.id)) running.abort.abort(new TakenOver());
          else cancel(running);
        }
      } catch (thrown) {
        this.#warnOfStore(thrown);
      }
    }
  }

  #warnOfStore(thrown: unknown): void {
    this.#parts.logger.warn({ err: SttError.from(thrown) }, 'job store failed');
  }
}

const cancel = ({ abort }: Running): void =>
  abort.abort(new SttError('JOB_CANCELLED', 'The job was cancelled'));

/** Whatever an executor does, its job gets an output. */
async function outputOf(execute: () => Promise<JobOutput>): Promise<JobOutput> {
  try {
    return await execute();
  } catch (thrown) {
    return { error: SttError.from(thrown).toJSON() };
  }
}
