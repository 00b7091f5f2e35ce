import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SttError } from '../../core/errors.ts';
import { DOWNLOAD_KEY_BYTES } from './signed-downloads.ts';

/**
 * The key that signed URLs are made with, kept beside the jobs: a worker may fetch the recording of a
 * job from the process that comes after the one which sent it.
 * @throws {SttError} STORE_UNAVAILABLE
 */
export function readDownloadKey(dataDir: string): Buffer {
  const path = join(dataDir, 'download-key');
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    try {
      const key = randomBytes(DOWNLOAD_KEY_BYTES).toString('hex');
      writeFileSync(path, key, { flag: 'wx', mode: 0o600 });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    }
    const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'hex');
    if (key.length === DOWNLOAD_KEY_BYTES) return key;
  } catch (cause) {
    throw new SttError('STORE_UNAVAILABLE', 'DATA_DIR cannot be used', { cause });
  }
  throw new SttError('STORE_UNAVAILABLE', 'The file download-key in DATA_DIR is damaged');
}
