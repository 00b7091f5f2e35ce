import type { FileHandle } from 'node:fs/promises';

export const WINDOW_BYTES = 1024 * 1024;

/** A part of a file in memory, which moves on with what is read. */
export class FileWindow {
  readonly #file: FileHandle;
  #start = 0;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** What is there from `position` on: `neededBytes` at least, unless the file ends before. */
  async from(position: number, neededBytes: number): Promise<Buffer> {
    const offset = position - this.#start;
    const isLast = this.#bytes.length > 0 && this.#bytes.length < WINDOW_BYTES;
    const isHere = isLast || offset + neededBytes <= this.#bytes.length;
    return offset >= 0 && isHere ? this.#bytes.subarray(offset) : this.load(position);
  }

  /** A whole window; shorter only at the end of the file. */
  async load(position: number): Promise<Buffer> {
    const empty = Buffer.allocUnsafe(WINDOW_BYTES);
    const { buffer, bytesRead } = await this.#file.read(empty, 0, WINDOW_BYTES, position);
    this.#start = position;
    this.#bytes = buffer.subarray(0, bytesRead);
    return this.#bytes;
  }
}
