import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RunningChecksum } from './checksum.ts';
import { type Disk, errorCode } from './disk.ts';
import type { Lease } from './file-lock.ts';
import { Pieces } from './pieces.ts';

const recordOf = (path: string): string => `${path}.json`;
/** Written to the disk along the way, so that little is left to wait for at the end. */
const FLUSH_BYTES = 256 * 1024 * 1024;

export interface PartialFileOptions {
  readonly path: string;
  readonly sizeBytes: number;
  readonly pieceBytes: number;
  readonly saveEveryMs: number;
  readonly disk: Disk;
  readonly lease: Pick<Lease, 'confirm'>;
}

/** The progress that an earlier download of this file left behind. */
export async function readProgress(path: string, sizeBytes: number): Promise<Pieces | undefined> {
  const text = await readFile(recordOf(path), 'utf8').catch(() => '');
  try {
    return Pieces.parse(JSON.parse(text), sizeBytes);
  } catch {
    return undefined;
  }
}

/** Deletes a partial file and its record. */
export async function removePartial(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(recordOf(path), { force: true });
}

/**
 * A download in the making: the file, with holes, and beside it a record of the bytes that are
 * there. The record never claims a byte that has not been handed to the system, so it survives a
 * kill; what a power cut may take is found by the checksum.
 */
export class PartialFile {
  readonly pieces: Pieces;
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #options: PartialFileOptions;
  #savedAtMs = performance.now();
  #saving: Promise<void> = Promise.resolve();
  #flushing: Promise<void> = Promise.resolve();
  #unflushedBytes = 0;

  private constructor(handle: FileHandle, pieces: Pieces, options: PartialFileOptions) {
    this.#handle = handle;
    this.#options = options;
    this.path = options.path;
    this.pieces = pieces;
  }

  /** Goes on where an earlier download stopped, if its record fits. */
  static async open(options: PartialFileOptions): Promise<PartialFile> {
    const { path, sizeBytes, pieceBytes } = options;
    const earlier = await readProgress(path, sizeBytes);
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT);
    if (earlier !== undefined && (await handle.stat()).size >= earlier.reachedByte) {
      return new PartialFile(handle, earlier, options);
    }
    await handle.truncate();
    return new PartialFile(handle, new Pieces(sizeBytes, pieceBytes), options);
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const { disk, lease, saveEveryMs } = this.#options;
    await lease.confirm(); // a process that was frozen may find its file in use
    await disk.write(this.#handle, bytes, position);
    this.pieces.add(position, bytes.length);
    this.#flushNowAndThen(bytes.length);
    const nowMs = performance.now();
    if (nowMs - this.#savedAtMs < saveEveryMs) return;
    this.#savedAtMs = nowMs;
    await this.save();
  }

  save(): Promise<void> {
    const record = recordOf(this.path);
    const write = async (): Promise<void> => {
      await this.#options.lease.confirm();
      const temporary = `${record}.${randomUUID()}`;
      await writeFile(temporary, JSON.stringify(this.pieces));
      await rename(temporary, record).catch(async (error: unknown) => {
        await rm(temporary, { force: true });
        if (errorCode(error) !== 'ENOENT') throw error; // else the model was deleted meanwhile
      });
    };
    this.#saving = this.#saving.then(write, write);
    return this.#saving;
  }

  /** Takes the bytes from the start to the first that is missing into the checksum. */
  check(checksum: RunningChecksum, signal: AbortSignal): Promise<void> {
    return checksum.advance(this.#handle, this.pieces.leadingBytes, signal);
  }

  async close(): Promise<void> {
    await this.#flushing;
    await this.#handle.close();
  }

  /** Gives the complete file its name, in one step that a power cut cannot tear. */
  async becomes(path: string): Promise<void> {
    const { disk, lease } = this.#options;
    await disk.flush(this.#handle);
    await lease.confirm();
    await rename(this.path, path);
    await disk.flushFolder(dirname(path));
    await removePartial(this.path);
  }

  #flushNowAndThen(bytes: number): void {
    this.#unflushedBytes += bytes;
    if (this.#unflushedBytes < FLUSH_BYTES) return;
    this.#unflushedBytes = 0;
    const flush = (): Promise<void> => this.#options.disk.flush(this.#handle);
    this.#flushing = this.#flushing.then(flush).catch(() => undefined); // the last one counts
  }
}
