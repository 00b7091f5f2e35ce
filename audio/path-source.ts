import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { SttError } from '../core/errors.ts';

/**
 * The real path of a regular file below `root`; neither `..` nor a symlink leads out of it.
 * @throws {SttError} PATH_FORBIDDEN, AUDIO_NOT_FOUND, AUDIO_TOO_LARGE
 */
export async function resolveAudioPath(
  path: string,
  root: string | undefined,
  maxBytes: number,
): Promise<string> {
  if (root === undefined) {
    throw new SttError('PATH_FORBIDDEN', 'Files may be read only if AUDIO_ROOT names their folder');
  }
  const realRoot = await realpathOf(root, 'The folder AUDIO_ROOT was not found');
  const asked = resolve(root, path);
  // Checked before the file system is asked, so that nothing can be learnt about files outside.
  if (path.includes('\0') || !(isBelow(asked, resolve(root)) || isBelow(asked, realRoot))) {
    throw outsideRoot();
  }
  const realPath = await realpathOf(asked, 'The audio file was not found below AUDIO_ROOT');
  if (!isBelow(realPath, realRoot)) throw outsideRoot();
  const { size } = await regularFile(realPath);
  if (size > maxBytes) {
    throw new SttError('AUDIO_TOO_LARGE', `${size} bytes of audio, ${maxBytes} are allowed`);
  }
  return realPath;
}

async function regularFile(path: string) {
  const stats = await stat(path);
  if (stats.isFile()) return stats;
  throw new SttError('PATH_FORBIDDEN', 'The path must name a file, not a folder or a device');
}

async function realpathOf(path: string, notFound: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM' || code === 'ELOOP') {
      throw new SttError('PATH_FORBIDDEN', 'The path may not be read', { cause: thrown });
    }
    throw new SttError('AUDIO_NOT_FOUND', notFound, { cause: thrown });
  }
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

const outsideRoot = (): SttError =>
  new SttError('PATH_FORBIDDEN', 'The path must lie below AUDIO_ROOT');
