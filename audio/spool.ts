import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { SttError } from '../core/errors.ts';

/** `stt-spool-HOST-PID-RANDOM`: enough to tell later whether the owner is still alive. */
const FOLDER_NAME = /^stt-spool-(?<host>\w+)-(?<pid>\d+)-\w{6}$/;
const HOST = hostname().replace(/\W/g, '_');
/** No recording takes this long; older folders of other hosts on a shared volume are left-overs. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

const ownFolders = new Set<string>();

export interface SpoolFile {
  readonly path: string;
  readonly handle: FileHandle;
}

/** A private folder for the files of one recording. */
export interface SpoolFolder {
  readonly path: string;
  /** A new file, open for reading and writing, that nobody else can have named. */
  createFile(): Promise<SpoolFile>;
  /** Closes and removes everything; may be called again. */
  remove(): Promise<void>;
}

/** Makes a folder that only this user can enter, below `spoolDir` or the system's temp folder. */
export async function createSpoolFolder(spoolDir: string | undefined): Promise<SpoolFolder> {
  const parent = spoolDir ?? tmpdir();
  await mkdir(parent, { recursive: true });
  const path = await mkdtemp(join(parent, `stt-spool-${HOST}-${process.pid}-`));
  ownFolders.add(basename(path));
  const handles: FileHandle[] = [];

  const createFile = async (): Promise<SpoolFile> => {
    const filePath = join(path, randomUUID());
    const handle = await open(filePath, 'wx+', 0o600);
    handles.push(handle);
    return { path: filePath, handle };
  };
  const removeAll = async (): Promise<void> => {
    await Promise.allSettled(handles.map((handle) => handle.close()));
    await rm(path, { recursive: true, force: true });
    ownFolders.delete(basename(path));
  };
  let removal: Promise<void> | undefined;
  return {
    path,
    createFile,
    remove: () => {
      removal ??= removeAll();
      return removal;
    },
  };
}

/**
 * Removes the folders of processes that no longer run, and returns how many. For the start of
 * the program: a killed process could not tidy up.
 */
export async function sweepSpool(spoolDir: string | undefined): Promise<number> {
  const parent = spoolDir ?? tmpdir();
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  let removed = 0;
  for (const name of folders) {
    const path = join(parent, name);
    if (!(await isLeftOver(name, path))) continue;
    await rm(path, { recursive: true, force: true }).then(
      () => (removed += 1),
      () => undefined, // another user's folder with our kind of name
    );
  }
  return removed;
}

/**
 * Writes all of `bytes` at `position` and returns the position behind them.
 * @throws {SttError} DISK_FULL
 */
export async function writeAt(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<number> {
  try {
    for (let written = 0; written < bytes.length; ) {
      const rest = bytes.length - written;
      written += (await handle.write(bytes, written, rest, position + written)).bytesWritten;
    }
    return position + bytes.length;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EFBIG') throw thrown;
    throw new SttError('DISK_FULL', 'The spool folder is full', { cause: thrown });
  }
}

async function isLeftOver(name: string, path: string): Promise<boolean> {
  const { host, pid } = FOLDER_NAME.exec(name)?.groups ?? {};
  if (host === undefined || pid === undefined || ownFolders.has(name)) return false;
  if (host === HOST) return Number(pid) === process.pid || !isRunning(Number(pid));
  const modified = await stat(path).catch(() => undefined);
  return modified !== undefined && Date.now() - modified.mtimeMs > ABANDONED_AFTER_MS;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
