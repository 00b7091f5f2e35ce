import { SttError } from '../../core/errors.ts';

/** The requests and sessions that have to end before the process may. */
export class ActiveWork {
  readonly #running = new Set<AbortController>();
  readonly #onIdle = new Set<() => void>();

  get size(): number {
    return this.#running.size;
  }

  /** A signal for one piece of work, and what to call when it has ended. */
  begin(): { readonly abort: AbortController; readonly end: () => void } {
    const abort = new AbortController();
    this.#running.add(abort);
    const end = (): void => {
      this.#running.delete(abort);
      if (this.#running.size > 0) return;
      for (const onIdle of this.#onIdle) onIdle();
      this.#onIdle.clear();
    };
    return { abort, end };
  }

  idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.add(resolve));
  }

  /** Tells everything that is at work to stop. */
  abortAll(): void {
    const reason = new SttError('SHUTTING_DOWN', 'The service stopped before the job ended');
    for (const abort of this.#running) abort.abort(reason);
  }
}
