import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAt } from '../../audio/spool.ts';

const NAME = 'stream';
/** Number and length of a piece, before its bytes. */
const HEADER_BYTES = 8;

/**
 * The pieces of an encoded stream as they came. Only from its beginning can it be decoded, so a
 * process that takes the session over begins there again, and leaves out what is known.
 */
export class SessionStream {
  readonly #path: string;
  #end: number;

  private constructor(path: string, end: number) {
    this.#path = path;
    this.#end = end;
  }

  /** With the pieces up to that one; later ones were not acknowledged and will come again. */
  static async open(folder: string, lastSeq: number): Promise<SessionStream> {
    const path = join(folder, NAME);
    await (await open(path, 'a', 0o600)).close();
    const stream = new SessionStream(path, 0);
    let end = 0;
    for await (const { seq, bytes } of stream.#records((await stat(path)).size)) {
      if (seq > lastSeq) break;
      end += HEADER_BYTES + bytes.length;
    }
    stream.#end = end;
    return stream;
  }

  /** May be called again after a failure. @throws {SttError} DISK_FULL */
  async append(seq: number, bytes: Buffer): Promise<void> {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(seq, 0);
    header.writeUInt32LE(bytes.length, 4);
    const file = await open(this.#path, 'r+');
    try {
      this.#end = await writeAt(file, Buffer.concat([header, bytes]), this.#end);
    } finally {
      await file.close();
    }
  }

  /** All pieces, in order. */
  async *pieces(): AsyncGenerator<Buffer> {
    for await (const { bytes } of this.#records(this.#end)) yield bytes;
  }

  /** Whole records up to that place. */
  async *#records(end: number): AsyncGenerator<{ readonly seq: number; readonly bytes: Buffer }> {
    const file = await open(this.#path, 'r');
    try {
      for (let at = 0; at + HEADER_BYTES <= end; ) {
        const header = await readAt(file, at, HEADER_BYTES);
        const length = header.readUInt32LE(4);
        at += HEADER_BYTES + length;
        if (at > end) return; // Cut off by a crash.
        yield { seq: header.readUInt32LE(0), bytes: await readAt(file, at - length, length) };
      }
    } finally {
      await file.close();
    }
  }
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await file.read(bytes, 0, length, at);
  return bytes;
}
