/** Longest stretch of computing: sockets, heartbeats and other jobs wait that long. */
const STRETCH_MS = 8;

/**
 * Lets everything else of the process have its turn during a long computation. Ask `isDue` often, it
 * is cheap, and await `rest` where it says so.
 */
export class Breather {
  readonly #signal: AbortSignal;
  #since = performance.now();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get isDue(): boolean {
    return performance.now() - this.#since > STRETCH_MS;
  }

  /** @throws the reason of the signal when it has aborted. */
  async rest(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#signal.throwIfAborted();
    this.#since = performance.now();
  }
}
