import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { promisify } from 'node:util';
import ffmpegStatic from 'ffmpeg-static';
import { SttError } from '../core/errors.ts';

const HOW_TO_GET_IT =
  'get it with `npm run ensure-ffmpeg` or `apt-get install ffmpeg`, or set FFMPEG_PATH to one';

/**
 * An absolute path: the configured ffmpeg, else the one that ffmpeg-static installed, else the
 * one on the PATH. A configured one that cannot run is an error, not a reason to look further.
 * @throws {SttError} FFMPEG_MISSING
 */
export async function findFfmpeg(configured: string | undefined): Promise<string> {
  if (configured !== undefined) {
    if (isAbsolute(configured) && (await isExecutable(configured))) return configured;
    throw new SttError(
      'FFMPEG_MISSING',
      'FFMPEG_PATH must be the absolute path of an executable file, and is not',
    );
  }
  const bundled: unknown = ffmpegStatic; // its types describe a module, it is the path or null
  if (typeof bundled === 'string' && (await isExecutable(bundled))) return bundled;
  const onPath = await searchPath();
  if (onPath !== undefined) return onPath;
  throw new SttError('FFMPEG_MISSING', `ffmpeg was not found: ${HOW_TO_GET_IT}`);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Asks the shell, which inherits the PATH: only the composition root reads the environment. */
async function searchPath(): Promise<string | undefined> {
  const [command, ...argv] =
    process.platform === 'win32'
      ? (['where.exe', 'ffmpeg'] as const)
      : (['/bin/sh', '-c', 'command -v ffmpeg'] as const);
  try {
    const { stdout } = await promisify(execFile)(command, argv);
    const path = stdout.split(/\r?\n/)[0] ?? '';
    return isAbsolute(path) && (await isExecutable(path)) ? path : undefined;
  } catch {
    return undefined;
  }
}
