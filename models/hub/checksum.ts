import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';

const SHA256_DIGITS = 64;
const READ_BYTES = 1024 * 1024;

/**
 * The Hub's hash of a file, SHA-256 or git's SHA-1 of a blob, taken from the disk while the file
 * still grows: at 1 s per gigabyte, waiting for the end would cost a cold start seconds.
 */
export class RunningChecksum {
  readonly #expected: string;
  readonly #digest: Hash;
  readonly #buffer = Buffer.allocUnsafe(READ_BYTES);
  #position = 0;

  constructor(hash: string, sizeBytes: number) {
    this.#expected = hash;
    const isSha256 = hash.length === SHA256_DIGITS;
    this.#digest = createHash(isSha256 ? 'sha256' : 'sha1');
    if (!isSha256) this.#digest.update(`blob ${sizeBytes}\0`);
  }

  /** Takes in what lies before `endByte` and has not been taken yet, until the signal. */
  async advance(file: FileHandle, endByte: number, signal: AbortSignal): Promise<void> {
    while (this.#position < endByte && !signal.aborted) {
      const length = Math.min(READ_BYTES, endByte - this.#position);
      const { bytesRead } = await file.read(this.#buffer, 0, length, this.#position);
      if (bytesRead === 0) return; // shorter than it should be: it will not match
      this.#digest.update(this.#buffer.subarray(0, bytesRead));
      this.#position += bytesRead;
    }
  }

  /** To be asked once, at the end. */
  matches(): boolean {
    return this.#digest.digest('hex') === this.#expected;
  }
}

/** Whether a whole file is what the Hub's hash promises. */
export async function matchesHash(
  path: string,
  hash: string,
  signal: AbortSignal,
): Promise<boolean> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const checksum = new RunningChecksum(hash, size);
    await checksum.advance(file, size, signal);
    signal.throwIfAborted();
    return checksum.matches();
  } finally {
    await file.close();
  }
}
