/** A job as RunPod's queue keeps it; times in milliseconds of `performance.now()`. */
export interface QueuedJob {
  readonly id: string;
  readonly input: unknown;
  readonly policy: { readonly ttl?: number; readonly executionTimeout?: number };
  readonly createdAt: number;
  status: 'IN_QUEUE' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'TIMED_OUT';
  retries: number;
  workerId: string | undefined;
  startedAt: number;
  heardOfAt: number;
  endedAt: number;
  output: unknown;
  error: unknown;
}

export interface QueueOptions {
  /** A worker that has not named its job for so long has died. */
  readonly lostAfterMs?: number;
  readonly maxRetries?: number;
}

const ENDED = new Set(['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT']);
const SWEEP_MS = 50;

/** The queue between RunPod's clients and workers: hands out, takes back, ends what is overdue. */
export class RunpodQueue {
  readonly jobs = new Map<string, QueuedJob>();
  readonly #options: Required<QueueOptions>;
  readonly #watchers = new Set<() => void>();
  readonly #stops = new Map<string, string[]>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: QueueOptions) {
    this.#options = { lostAfterMs: 2000, maxRetries: 1, ...options };
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
  }

  add(input: unknown, policy: QueuedJob['policy'], prefix = ''): QueuedJob {
    const job: QueuedJob = {
      id: `${prefix}job-${this.jobs.size + 1}`,
      input,
      policy,
      createdAt: performance.now(),
      status: 'IN_QUEUE',
      retries: 0,
      workerId: undefined,
      startedAt: 0,
      heardOfAt: 0,
      endedAt: 0,
      output: undefined,
      error: undefined,
    };
    this.jobs.set(job.id, job);
    this.#changed();
    return job;
  }

  /** Up to `count` queued jobs, now in progress on the worker. */
  take(workerId: string, count: number): QueuedJob[] {
    const taken = [...this.jobs.values()]
      .filter(({ status }) => status === 'IN_QUEUE')
      .slice(0, count);
    for (const job of taken) {
      const now = performance.now();
      Object.assign(job, { status: 'IN_PROGRESS', workerId, startedAt: now, heardOfAt: now });
    }
    if (taken.length > 0) this.#changed();
    return taken;
  }

  heardOf(jobIds: readonly string[]): void {
    for (const id of jobIds) {
      const job = this.jobs.get(id);
      if (job !== undefined) job.heardOfAt = performance.now();
    }
  }

  /** What a worker posted; one that lost the job in the meantime is not heard. */
  post(workerId: string, jobId: string, body: Readonly<Record<string, unknown>>): void {
    const job = this.jobs.get(jobId);
    if (job?.status !== 'IN_PROGRESS' || job.workerId !== workerId) return;
    job.heardOfAt = performance.now();
    if (body['status'] === 'IN_PROGRESS') job.output = body['output'];
    else if (body['error'] !== undefined) this.#end(job, 'FAILED', { error: body['error'] });
    else this.#end(job, 'COMPLETED', { output: body['output'] });
    this.#changed();
  }

  cancel(jobId: string): QueuedJob | undefined {
    const job = this.jobs.get(jobId);
    if (job !== undefined && !ENDED.has(job.status)) this.#stop(job, 'CANCELLED');
    return job;
  }

  /** Ids that the worker has to stop; told once. */
  takeStops(workerId: string): string[] {
    const stops = this.#stops.get(workerId) ?? [];
    this.#stops.delete(workerId);
    return stops;
  }

  count(status: QueuedJob['status']): number {
    return [...this.jobs.values()].filter((job) => job.status === status).length;
  }

  /** Resolves with true once the condition holds, with false after the time; checked at every change. */
  async until(condition: () => boolean, timeoutMs = 60_000): Promise<boolean> {
    if (condition()) return true;
    return new Promise((resolve) => {
      const end = (holds: boolean): void => {
        clearTimeout(timer);
        this.#watchers.delete(watch);
        resolve(holds);
      };
      const watch = (): void => {
        if (condition()) end(true);
      };
      const timer = setTimeout(() => end(condition()), timeoutMs);
      this.#watchers.add(watch);
    });
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #sweep(): void {
    const now = performance.now();
    for (const job of this.jobs.values()) {
      if (ENDED.has(job.status)) continue;
      const { ttl = Infinity, executionTimeout = Infinity } = job.policy;
      if (now - job.createdAt > ttl) {
        this.#stop(job, 'TIMED_OUT');
        this.jobs.delete(job.id);
      } else if (job.status === 'IN_PROGRESS') {
        if (now - job.startedAt > executionTimeout) this.#stop(job, 'TIMED_OUT');
        else if (now - job.heardOfAt > this.#options.lostAfterMs) this.#takeBack(job);
      }
    }
  }

  #takeBack(job: QueuedJob): void {
    if (job.retries >= this.#options.maxRetries) {
      this.#end(job, 'FAILED', { error: `job timed out after ${job.retries} retries` });
    } else {
      Object.assign(job, { status: 'IN_QUEUE', workerId: undefined, output: undefined });
      job.retries += 1;
    }
    this.#changed();
  }

  #stop(job: QueuedJob, status: 'CANCELLED' | 'TIMED_OUT'): void {
    const { workerId } = job;
    if (job.status === 'IN_PROGRESS' && workerId !== undefined) {
      this.#stops.set(workerId, [...(this.#stops.get(workerId) ?? []), job.id]);
    }
    this.#end(job, status, {});
    this.#changed();
  }

  #end(job: QueuedJob, status: QueuedJob['status'], more: Partial<QueuedJob>): void {
    Object.assign(job, { output: undefined, ...more, status, endedAt: performance.now() });
  }

  #changed(): void {
    for (const watch of [...this.#watchers]) watch();
  }
}
