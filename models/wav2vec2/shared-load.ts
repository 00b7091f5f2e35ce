import { untilAborted } from '../../core/until-aborted.ts';

/**
 * One load that several wait for. Who gives up waiting is answered at once; the load itself goes on as
 * long as anyone waits, and is aborted with the last of them.
 */
export class SharedLoad<Result> {
  readonly #abort = new AbortController();
  readonly #result: Promise<Result>;
  #waiting = 0;
  #isSettled = false;

  /** @param stop aborts the load whoever waits. */
  constructor(load: (signal: AbortSignal) => Promise<Result>, stop: AbortSignal) {
    this.#result = load(AbortSignal.any([stop, this.#abort.signal]));
    const settle = (): void => {
      this.#isSettled = true;
    };
    this.#result.then(settle, settle);
  }

  /** Whether nobody waits any more for what is not there yet. */
  get isAbandoned(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Without counting as one who waits. */
  get result(): Promise<Result> {
    return this.#result;
  }

  /** @throws what the load throws, the reason of `signal` when that aborts first. */
  async wait(signal: AbortSignal): Promise<Result> {
    signal.throwIfAborted();
    this.#waiting += 1;
    try {
      return await untilAborted(this.#result, signal);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0 && !this.#isSettled) this.#abort.abort(signal.reason);
    }
  }
}
