/** Reads that many ask for at about the same time are made once; an answer may be `maxAgeMs` old. */
export class SharedReads<T> {
  readonly #maxAgeMs: number;
  readonly #reads = new Map<string, Promise<T>>();

  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs;
  }

  read(key: string, read: () => Promise<T>): Promise<T> {
    const known = this.#reads.get(key);
    if (known !== undefined) return known;
    const reading = read();
    this.#reads.set(key, reading);
    const forget = (): void => void this.#reads.delete(key);
    setTimeout(forget, this.#maxAgeMs).unref();
    reading.catch(forget);
    return reading;
  }
}
