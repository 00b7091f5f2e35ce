import { SttError } from '../../core/errors.ts';

/** A signal for one piece of work, and what to call when it has ended. */
interface Piece {
  readonly abort: AbortController;
  readonly end: () => void;
}

/** The requests that have to end before the process may, and those that only look on. */
export class ActiveWork {
  readonly #running = new Set<AbortController>();
  readonly #watching = new Set<AbortController>();
  readonly #onIdle = new Set<() => void>();

  get size(): number {
    return this.#running.size;
  }

  begin(): Piece {
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

  /** A piece that nobody waits for: it is told to stop when all the others have ended. */
  watch(): Piece {
    const abort = new AbortController();
    this.#watching.add(abort);
    return { abort, end: () => void this.#watching.delete(abort) };
  }

  /** Resolves when nothing is left that has to end. */
  idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.add(resolve));
  }

  /** Tells everything that is at work or looks on to stop. */
  abortAll(): void {
    const reason = new SttError('SHUTTING_DOWN', 'The service stopped before the job ended');
    for (const abort of [...this.#running, ...this.#watching]) abort.abort(reason);
  }
}
