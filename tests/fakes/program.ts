import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export const PROJECT_ROOT = join(import.meta.dirname, '../..');

export interface Program {
  readonly child: ChildProcess;
  /** Resolves when the process has ended. */
  readonly ended: Promise<{ exitCode: number | null; stdout: string; stderr: string }>;
}

/**
 * The whole program in a process of its own, with nothing of this environment but the PATH, and the
 * smaller of the embedded Whispers; `WHISPER_MODEL: ''` is the default one.
 */
export function startProgram(
  argv: readonly string[],
  { cwd = PROJECT_ROOT, env = {} }: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Program {
  const loader = join(PROJECT_ROOT, 'scripts/typescript.mjs');
  const entry = join(PROJECT_ROOT, 'handler/main.ts');
  const child = spawn(process.execPath, ['--import', loader, entry, ...argv], {
    cwd,
    env: { PATH: process.env['PATH'], WHISPER_MODEL: 'embedded/whisper-tiny.en', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]).then(
    ([stdout, stderr, [exitCode]]) => ({ exitCode: exitCode as number | null, stdout, stderr }),
  );
  return { child, ended };
}
