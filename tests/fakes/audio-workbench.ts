import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { findFfmpeg } from '../../audio/ffmpeg-path.ts';
import type { AudioLimits } from '../../audio/limits.ts';
import { type AudioSelection, type AudioSource, openAudio } from '../../audio/open-audio.ts';
import type { SpooledWaveform } from '../../audio/waveform.ts';
import { type ErrorCode, SttError } from '../../core/errors.ts';

const ffmpegPath = await findFfmpeg(undefined).catch(() => undefined);

/** A test that needs the real ffmpeg; without one its title says why it did not run. */
export const testWithFfmpeg = (title: string, body: () => Promise<void>): void => {
  if (ffmpegPath === undefined) test.skip(`${title} [skipped: ffmpeg was not found]`, body);
  else test(title, body);
};

/** A device that is always full; only Linux has one. */
export const FULL_DEVICE = '/dev/full';

export const testWithFullDevice = (title: string, body: () => Promise<void>): void => {
  if (existsSync(FULL_DEVICE)) testWithFfmpeg(title, body);
  else test.skip(`${title} [skipped: ${FULL_DEVICE} does not exist]`, body);
};

export async function runFfmpegForFixture(argv: readonly string[]): Promise<void> {
  if (ffmpegPath === undefined) throw new Error('ffmpeg was not found');
  await promisify(execFile)(ffmpegPath, ['-nostdin', '-v', 'error', '-y', ...argv]);
}

/** A folder with an audio root and a spool of its own, and limits that fit tests. */
export async function createWorkbench() {
  const folder = await mkdtemp(join(tmpdir(), 'stt-test-'));
  const root = join(folder, 'root');
  const spoolDir = join(folder, 'spool');
  await mkdir(root);
  const limits: AudioLimits = {
    root,
    allowHttp: true,
    allowPrivateUrls: true,
    maxBytes: 8 * 1024 * 1024,
    maxSec: 60,
    fetchTimeoutMs: 5000,
    spoolDir,
    ffmpegPath: undefined,
    fetchTuning: { stallTimeoutMs: 1000, attempts: 3, backoffMs: 5 },
  };
  const open = (
    source: AudioSource | string,
    overrides: Partial<AudioLimits> = {},
    signal: AbortSignal = new AbortController().signal,
    selection: AudioSelection = {},
  ): Promise<SpooledWaveform> => {
    const asked = typeof source === 'string' ? ({ kind: 'path', path: source } as const) : source;
    return openAudio(asked, { ...limits, ...overrides }, signal, selection);
  };
  return {
    folder,
    root,
    spoolDir,
    limits,
    open,
    /** Writes a file below the root and returns its path. */
    write: async (name: string, content: string | Uint8Array): Promise<string> => {
      const path = join(root, name);
      await writeFile(path, content);
      return path;
    },
    expectNothingLeft: () => expectNothingLeft(spoolDir),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export type Workbench = Awaited<ReturnType<typeof createWorkbench>>;

export async function expectCode(work: Promise<unknown>, code: ErrorCode): Promise<SttError> {
  const thrown: unknown = await work.then(
    () => 'nothing was thrown',
    (error: unknown) => error,
  );
  if (!(thrown instanceof SttError)) throw new Error(`expected ${code}`, { cause: thrown });
  expect(`${thrown.code}: ${thrown.message}`).toContain(`${code}: `);
  return thrown;
}

/** No temp file, no open handle into the spool and no child process. */
async function expectNothingLeft(spoolDir: string): Promise<void> {
  expect(await readdir(spoolDir).catch(() => [])).toEqual([]);
  expect(await openFilesBelow(spoolDir)).toEqual([]);
  expect(await childrenNamed('ffmpeg')).toEqual([]);
}

/** Both need Linux's /proc; elsewhere they find nothing. */
async function openFilesBelow(folder: string): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd').catch(() => []);
  const targets = await Promise.all(
    descriptors.map((descriptor) => readlink(`/proc/self/fd/${descriptor}`).catch(() => '')),
  );
  return targets.filter((target) => target.startsWith(folder));
}

async function childrenNamed(name: string): Promise<string[]> {
  const list = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8').catch(() => '');
  const commands = await Promise.all(
    list
      .split(' ')
      .filter((pid) => pid !== '')
      .map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return commands.filter((command) => command.includes(name));
}
