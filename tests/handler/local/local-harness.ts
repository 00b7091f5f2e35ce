import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { loadConfig } from '../../../core/config.ts';
import type { LocalEngine } from '../../../handler/local/job-runner.ts';
import { runLocal } from '../../../handler/local/run-local.ts';
import type { JobServices } from '../../../handler/run-job.ts';
import { CapturedStream } from '../../fakes/captured-stream.ts';
import { fakeJobServices } from '../../fakes/job-services.ts';

export const TRANSCRIPT = 'And so my fellow Americans';
export const JOB = { input: { audio_url: 'https://example.com/a.wav', meeting_id: 'meeting_123' } };

interface HarnessOptions {
  readonly services?: Partial<JobServices>;
  readonly env?: NodeJS.ProcessEnv;
  readonly isTerminal?: boolean;
  readonly baseUrl?: string;
  readonly createServices?: () => Promise<LocalEngine>;
}

/** The command line in a folder of its own, which is removed after the test. */
export async function harness({
  services: overrides,
  env = {},
  isTerminal,
  baseUrl,
  createServices,
}: HarnessOptions = {}) {
  const cwd = await mkdtemp(join(tmpdir(), 'run-local-'));
  onTestFinished(() => rm(cwd, { recursive: true }));
  const stdout = new CapturedStream(isTerminal);
  const stderr = new CapturedStream(isTerminal);
  const controller = new AbortController();
  const services = fakeJobServices(overrides);
  const engine = { created: 0, closed: 0, roots: [] as string[] };
  const fakeEngine = async (): Promise<LocalEngine> => {
    engine.created++;
    return {
      jobServices: (audioRoot) => {
        engine.roots.push(audioRoot);
        return services;
      },
      close: async () => {
        engine.closed++;
      },
    };
  };
  const run = (...argv: string[]) =>
    runLocal({
      argv,
      config: loadConfig(env),
      createServices: createServices ?? fakeEngine,
      stdout,
      stderr,
      cwd,
      version: '1.2.3',
      signal: controller.signal,
      ...(baseUrl !== undefined && {
        dispatch: { baseUrl, polling: { firstWaitMs: 5, longestWaitMs: 10 } },
      }),
    });
  const fileWith = async (name: string, content = 'RIFF'): Promise<string> => {
    await writeFile(join(cwd, name), content);
    return join(cwd, name);
  };
  return { cwd, fileWith, run, stdout, stderr, services, engine, controller };
}
