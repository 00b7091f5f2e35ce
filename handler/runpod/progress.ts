import type { JobProgress } from '../job.ts';
import { pause } from './pause.ts';

export interface ProgressOptions {
  readonly intervalMs: number;
  readonly closeMs: number;
  /** One attempt; a lost update is replaced by the next. */
  post(progress: JobProgress, signal: AbortSignal): Promise<unknown>;
}

/**
 * The progress updates of one job: one post at a time, at most one per interval, the latest wins.
 * After `close` nothing is under way any more, so no update can overtake the result.
 */
export class ProgressChannel {
  readonly #options: ProgressOptions;
  readonly #closed = new AbortController();
  readonly #cancelPost = new AbortController();
  #latest: JobProgress | undefined;
  #sending: Promise<void> | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  update(progress: JobProgress): void {
    if (this.#closed.signal.aborted) return;
    this.#latest = progress;
    this.#sending ??= this.#send();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#latest = undefined;
    if (this.#sending === undefined) return;
    const done = new AbortController();
    const patience = pause(this.#options.closeMs, done.signal).then(() => this.#cancelPost.abort());
    await this.#sending;
    done.abort();
    await patience;
  }

  async #send(): Promise<void> {
    while (this.#latest !== undefined) {
      const progress = this.#latest;
      this.#latest = undefined;
      await this.#options.post(progress, this.#cancelPost.signal).catch(() => undefined);
      await pause(this.#options.intervalMs, this.#closed.signal);
    }
    this.#sending = undefined;
  }
}
