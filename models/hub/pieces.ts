import { z } from 'zod';

/** A part of a file that is still to come; half-open. */
export interface Piece {
  readonly index: number;
  /** First byte that is missing. */
  readonly startByte: number;
  readonly endByte: number;
}

const Record = z.object({
  sizeBytes: z.int(),
  pieceBytes: z.int().positive(),
  done: z.array(z.int().nonnegative()),
});

/** Which bytes of a file are there: of every piece the first `done[piece]`. */
export class Pieces {
  readonly sizeBytes: number;
  readonly #pieceBytes: number;
  readonly #done: number[];
  #next = 0;

  constructor(sizeBytes: number, pieceBytes: number) {
    this.sizeBytes = sizeBytes;
    this.#pieceBytes = pieceBytes;
    this.#done = new Array<number>(Math.ceil(sizeBytes / pieceBytes)).fill(0);
  }

  /** What `toJSON` wrote; undefined if it is about another file or makes no sense. */
  static parse(json: unknown, sizeBytes: number): Pieces | undefined {
    const { data } = Record.safeParse(json);
    if (data === undefined || data.sizeBytes !== sizeBytes) return undefined;
    const pieces = new Pieces(sizeBytes, data.pieceBytes);
    if (pieces.#done.length !== data.done.length) return undefined;
    for (const [index, done] of data.done.entries()) {
      if (done > pieces.#lengthOf(index)) return undefined;
      pieces.#done[index] = done;
    }
    return pieces;
  }

  toJSON(): z.output<typeof Record> {
    return { sizeBytes: this.sizeBytes, pieceBytes: this.#pieceBytes, done: [...this.#done] };
  }

  get count(): number {
    return this.#done.length;
  }

  get doneBytes(): number {
    return this.#done.reduce((sum, done) => sum + done, 0);
  }

  /** The bytes from the start to the first that is missing. */
  get leadingBytes(): number {
    for (let index = 0; index < this.count; index += 1) {
      const missing = this.rest(index);
      if (missing !== undefined) return missing.startByte;
    }
    return this.sizeBytes;
  }

  /** One past the last byte that is there. */
  get reachedByte(): number {
    const last = this.#done.findLastIndex((done) => done > 0);
    return last === -1 ? 0 : last * this.#pieceBytes + this.#done[last]!;
  }

  /** Hands every unfinished piece to one taker. */
  take(): Piece | undefined {
    while (this.#next < this.count) {
      const piece = this.rest(this.#next);
      this.#next += 1;
      if (piece !== undefined) return piece;
    }
    return undefined;
  }

  /** What is missing of one piece; undefined when it is complete. */
  rest(index: number): Piece | undefined {
    const firstByte = index * this.#pieceBytes;
    const startByte = firstByte + this.#done[index]!;
    const endByte = firstByte + this.#lengthOf(index);
    return startByte < endByte ? { index, startByte, endByte } : undefined;
  }

  /** Notes that bytes have been written; those that leave a hole before them do not count. */
  add(startByte: number, lengthBytes: number): void {
    const endByte = startByte + lengthBytes;
    const first = Math.floor(startByte / this.#pieceBytes);
    for (let index = first; index * this.#pieceBytes < endByte && index < this.count; index += 1) {
      const firstByte = index * this.#pieceBytes;
      if (startByte > firstByte + this.#done[index]!) continue;
      const reached = Math.min(endByte - firstByte, this.#lengthOf(index));
      this.#done[index] = Math.max(this.#done[index]!, reached);
    }
  }

  #lengthOf(index: number): number {
    return Math.min(this.#pieceBytes, this.sizeBytes - index * this.#pieceBytes);
  }
}
