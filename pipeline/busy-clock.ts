/** Wall-clock time during which at least one of several overlapping works was going on. */
export class BusyClock {
  #runningCount = 0;
  #startedAt = 0;
  #busyMs = 0;

  get busyMs(): number {
    return this.#busyMs;
  }

  async time<Result>(work: Promise<Result>): Promise<Result> {
    if (this.#runningCount++ === 0) this.#startedAt = performance.now();
    try {
      return await work;
    } finally {
      if (--this.#runningCount === 0) this.#busyMs += performance.now() - this.#startedAt;
    }
  }
}
