import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { SttError } from '../core/errors.ts';
import { abortAfter } from './deadline.ts';

/** Of the beginning, and as many of the end: a damaged file can make ffmpeg print a line a packet. */
const MAX_LINES = 50;
const MAX_LINE_CHARS = 400;
/** What `-v level+info` prints of the file itself, its tags included; the length is of interest. */
const IS_DESCRIPTION = /\[info\](?!\s+Duration:)/;

/** A static build loads the system's character sets, those of another libc, and crashes on MPEG-TS. */
const ENVIRONMENT = { GCONV_PATH: '/nonexistent' };

export interface FfmpegCall {
  readonly ffmpegPath: string;
  readonly argv: readonly string[];
  readonly workingFolder: string;
  readonly timeoutMs: number;
}

export interface FfmpegExit {
  /** null if a signal ended it. */
  readonly exitCode: number | null;
  /** What it printed but for descriptions of the file: the first lines and the last. */
  readonly complaints: readonly string[];
}

/** Leaders of groups that run. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) killGroup(child);
});

/** Ends a group's leader, started `detached`, and what it has started, with this process at the latest. */
export function endWithProcess(child: ChildProcess): void {
  running.add(child);
  child.once('close', () => running.delete(child)).once('error', () => running.delete(child));
}

/**
 * Runs ffmpeg without environment or standard input and hands each piece of its output to
 * `onOutput`, which holds ffmpeg back until it resolves. However this ends, by its throwing too,
 * the child, and what it started and left with an open pipe, are gone afterwards.
 * @throws {SttError} FFMPEG_MISSING, DECODE_TIMEOUT; the signal's reason; what `onOutput` throws.
 */
export async function runFfmpeg(
  call: FfmpegCall,
  onOutput: (bytes: Buffer) => Promise<void>,
  signal: AbortSignal,
): Promise<FfmpegExit> {
  signal.throwIfAborted();
  const timeout = abortAfter(call.timeoutMs);
  const stop = AbortSignal.any([signal, timeout]);
  const child = spawn(call.ffmpegPath, call.argv, {
    cwd: call.workingFolder,
    env: ENVIRONMENT,
    detached: true, // the leader of a group of its own
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  endWithProcess(child);
  let isClosed = false;
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve)).finally(
    () => (isClosed = true),
  );
  await waitForStart(child);
  const complaints = collectLines(child.stderr);
  // Until the pipes are closed: a wrapper may have ended before what it started.
  const kill = (): unknown => isClosed || killGroup(child);
  stop.addEventListener('abort', kill, { once: true });
  try {
    if (stop.aborted) kill();
    for await (const bytes of child.stdout) await onOutput(bytes as Buffer);
    const exitCode = await closed;
    signal.throwIfAborted();
    if (timeout.aborted) {
      throw new SttError('DECODE_TIMEOUT', `Decoding took longer than ${call.timeoutMs} ms`);
    }
    return { exitCode, complaints: complaints() };
  } finally {
    stop.removeEventListener('abort', kill);
    kill();
    await closed;
  }
}

const waitForStart = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once('spawn', resolve).once('error', (cause) => {
      reject(new SttError('FFMPEG_MISSING', 'ffmpeg could not be started', { cause }));
    });
  });

/** Reads to the end, so that the child never waits for us. */
function collectLines(stream: Readable): () => string[] {
  const first: string[] = [];
  const last: string[] = [];
  let open = '';
  const take = (line: string): void => {
    if (line === '' || IS_DESCRIPTION.test(line)) return;
    if (first.length < MAX_LINES) first.push(line);
    else if (last.push(line) > MAX_LINES) last.shift();
  };
  stream.setEncoding('utf8').on('data', (piece: string) => {
    const lines = piece.split(/[\r\n]/);
    lines[0] = open + lines[0];
    open = (lines.pop() ?? '').slice(0, MAX_LINE_CHARS);
    for (const line of lines) take(line.slice(0, MAX_LINE_CHARS));
  });
  stream.once('end', () => take(open));
  return () => [...first, ...last];
}

export function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended in this moment.
  }
}
