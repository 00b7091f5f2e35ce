import { readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { SttError } from '../core/errors.ts';

const ASCII = /^[ -~]*$/;

/**
 * The real path of a regular file below `root`; neither `..` nor a symlink leads out of it. Names that
 * differ in Unicode normalization only, as those of macOS do, name the same file.
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
  const base = isBelow(asked, resolve(root)) ? resolve(root) : realRoot;
  const spelled = await respell(relative(base, asked), realRoot);
  const realPath = await realpathOf(spelled, 'The audio file was not found below AUDIO_ROOT');
  if (!isBelow(realPath, realRoot)) throw outsideRoot();
  const { size } = await regularFile(realPath);
  if (size > maxBytes) {
    throw new SttError('AUDIO_TOO_LARGE', `${size} bytes of audio, ${maxBytes} are allowed`);
  }
  return realPath;
}

/**
 * The path below `realRoot` as the file system spells it: where a name is not there, the one that is
 * the same in NFC. What is in folders elsewhere is not looked at.
 * @throws {SttError} PATH_FORBIDDEN, also for a folder that leads out of the root.
 */
export async function respell(path: string, realRoot: string): Promise<string> {
  const asIs = join(realRoot, path);
  if (ASCII.test(path) || (await stat(asIs).catch(() => undefined))) return asIs;
  return (await findSame(realRoot, path.split(sep), realRoot)) ?? asIs;
}

async function findSame(
  folder: string,
  [name = '', ...rest]: readonly string[],
  realRoot: string,
): Promise<string | undefined> {
  if (!isBelow(folder, realRoot)) throw outsideRoot();
  const names: readonly string[] = await readdir(folder).catch(() => []);
  const same = names.filter((each) => each.normalize('NFC') === name.normalize('NFC'));
  for (const each of same.toSorted((a, b) => Number(b === name) - Number(a === name))) {
    const path = await realpathOf(join(folder, each), 'The audio file was not found');
    const found = rest.length === 0 ? path : await findSame(path, rest, realRoot);
    if (found !== undefined) return found;
  }
  return undefined;
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
