/** A job as the queue sees it: something with an id that runs until its result is delivered. */
export interface QueuedJob {
  readonly id: string;
  run(signal: AbortSignal): Promise<void>;
}

interface HeldJob extends QueuedJob {
  readonly controller: AbortController;
}

export interface JobQueueOptions {
  readonly concurrency: number;
  /** Called with all held ids, in order of arrival, whenever they change. */
  onChange(jobIds: readonly string[]): void;
}

/**
 * The jobs this worker holds, from their arrival until their result is delivered.
 * At most `concurrency` run at a time; more wait, should the platform send more than it was asked.
 */
export class JobQueue {
  readonly #options: JobQueueOptions;
  readonly #held = new Map<string, HeldJob>();
  readonly #running = new Set<string>();
  readonly #onRelease = new Set<() => void>();

  constructor(options: JobQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#held.size;
  }

  /** How many more jobs may be taken. */
  get free(): number {
    return Math.max(0, this.#options.concurrency - this.#held.size);
  }

  /** False when a job of this id is held already: it must not run twice. */
  accept(job: QueuedJob): boolean {
    if (this.#held.has(job.id)) return false;
    this.#held.set(job.id, {
      id: job.id,
      run: (signal) => job.run(signal),
      controller: new AbortController(),
    });
    this.#changed();
    this.#startWaiting();
    return true;
  }

  /** Cancels a running job or drops a waiting one; false when none has this id. */
  stop(jobId: string, reason: Error): boolean {
    const job = this.#held.get(jobId);
    if (job === undefined) return false;
    job.controller.abort(reason);
    if (!this.#running.has(jobId)) this.#release(jobId);
    return true;
  }

  /** Cancels the running jobs and starts the waiting ones cancelled, so that each can say so. */
  stopAll(reason: Error): void {
    for (const job of this.#held.values()) job.controller.abort(reason);
  }

  /** Resolves when a job has left or the signal fires, at once when none is held. */
  async released(signal?: AbortSignal): Promise<void> {
    if (this.#held.size === 0 || signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#onRelease.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#onRelease.add(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  async drained(): Promise<void> {
    while (this.#held.size > 0) await this.released();
  }

  #startWaiting(): void {
    for (const job of this.#held.values()) {
      if (this.#running.size >= this.#options.concurrency) return;
      if (this.#running.has(job.id)) continue;
      this.#running.add(job.id);
      void job.run(job.controller.signal).finally(() => this.#release(job.id));
    }
  }

  #release(jobId: string): void {
    this.#held.delete(jobId);
    this.#running.delete(jobId);
    this.#startWaiting();
    this.#changed();
    for (const done of [...this.#onRelease]) done();
  }

  #changed(): void {
    this.#options.onChange([...this.#held.keys()]);
  }
}
