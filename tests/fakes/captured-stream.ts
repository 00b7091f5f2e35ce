import { Writable } from 'node:stream';

/** A stdout or stderr that remembers what was written. */
export class CapturedStream extends Writable {
  readonly isTTY: boolean;
  /** What cli-progress asks of a terminal. */
  readonly columns = 80;
  onText: ((text: string) => void) | undefined;
  #text = '';

  constructor(isTTY = false) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  get text(): string {
    return this.#text;
  }

  get lines(): string[] {
    return this.#text.split('\n').filter((line) => line !== '');
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.#text += String(chunk);
    this.onText?.(String(chunk));
    done();
  }
}
