import { constants } from 'node:fs';
import { access, type FileHandle, mkdir, open, statfs } from 'node:fs/promises';
import { SttError } from '../../core/errors.ts';

/** What of a disk can be full or closed to us. */
export interface Disk {
  /** Bytes that an unprivileged process may still write. */
  freeBytes(folder: string): Promise<number>;
  /** Creates the folder if need be and makes sure that files can be created in it. */
  prepareFolder(folder: string): Promise<void>;
  /** Writes all of `bytes`. */
  write(file: FileHandle, bytes: Uint8Array, position: number): Promise<void>;
  /** Resolves when what has been written so far would survive a power cut. */
  flush(file: FileHandle): Promise<void>;
  /** The same for the names in a folder. */
  flushFolder(folder: string): Promise<void>;
}

export const realDisk: Disk = {
  async freeBytes(folder) {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  },

  async prepareFolder(folder) {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK | constants.X_OK);
  },

  async write(file, bytes, position) {
    for (let written = 0; written < bytes.length; ) {
      const rest = bytes.length - written;
      const { bytesWritten } = await file.write(bytes, written, rest, position + written);
      written += bytesWritten;
    }
  },

  flush: (file) => file.datasync(),

  async flushFolder(folder) {
    const handle = await open(folder);
    // Some network file systems know no such thing for folders.
    await handle.sync().catch(() => undefined);
    await handle.close();
  },
};

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

const FULL: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT']);
const CLOSED: ReadonlySet<string | undefined> = new Set(['EROFS', 'EACCES', 'EPERM']);

/** The file system is read-only, or not ours to write. */
export const isClosed = (error: unknown): boolean => CLOSED.has(errorCode(error));

export const isDiskFull = (error: unknown): boolean => FULL.has(errorCode(error));

export const diskFull = (neededBytes: number, freeBytes: number, cause?: unknown): SttError =>
  new SttError(
    'DISK_FULL',
    `The model needs ${neededBytes} more bytes and the disk of the model cache has ${freeBytes}: ` +
      'enlarge the disk, or set HF_HOME or MODEL_VOLUME to a larger one',
    { cause },
  );

/** Says what to do about a cache that cannot be written; passes every other failure through. */
export function explainClosed(error: unknown): unknown {
  if (!isClosed(error)) return error;
  return new SttError(
    'MODEL_CACHE_READ_ONLY',
    `The model cache cannot be written (${errorCode(error)}): set HF_HOME or MODEL_VOLUME to a ` +
      'folder that can, or download the model into the cache beforehand',
    { cause: error },
  );
}
