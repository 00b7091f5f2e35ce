import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { SttError } from '../core/errors.ts';
import { abortAfter } from './deadline.ts';

/** Enough to recognise a complaint; a damaged file can make ffmpeg print one line a packet. */
const MAX_STDERR_CHARS = 8192;

export interface FfmpegCall {
  readonly ffmpegPath: string;
  readonly argv: readonly string[];
  readonly workingFolder: string;
  readonly timeoutMs: number;
  /** How much of its messages is kept; by default enough to recognise a complaint. */
  readonly maxComplaintChars?: number;
}

export interface FfmpegExit {
  /** null if a signal ended it. */
  readonly exitCode: number | null;
  readonly complaints: string;
}

/**
 * Runs ffmpeg without environment or standard input and hands each piece of its output to
 * `onOutput`, which holds ffmpeg back until it resolves. However this ends, by its throwing too,
 * the child, and what it started and left with an open pipe, are gone afterwards.
 * @throws {SttError} FFMPEG_MISSING, DECODE_TIMEOUT; the signal's reason; what `onOutput` throws.
 */
export async function runFfmpeg(
  call: FfmpegCall,
  onOutput: (bytes: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<FfmpegExit> {
  signal.throwIfAborted();
  const timeout = abortAfter(call.timeoutMs);
  const stop = AbortSignal.any([signal, timeout]);
  const child = spawn(call.ffmpegPath, call.argv, {
    cwd: call.workingFolder,
    env: {},
    detached: true, // the leader of a group of its own
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  let isClosed = false;
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve)).finally(
    () => (isClosed = true),
  );
  await waitForStart(child);
  const complaints = collectText(child.stderr, call.maxComplaintChars ?? MAX_STDERR_CHARS);
  // Until the pipes are closed: a wrapper may have ended before what it started.
  const kill = (): unknown => isClosed || killGroup(child);
  stop.addEventListener('abort', kill, { once: true });
  try {
    if (stop.aborted) kill();
    for await (const bytes of child.stdout) await onOutput(bytes as Uint8Array);
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

/** Reads to the end, so that the child never waits for us, and keeps the beginning. */
function collectText(stream: Readable, maxChars: number): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (piece: string) => {
    text += piece.slice(0, maxChars - text.length);
  });
  return () => text;
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended in this moment.
  }
}
