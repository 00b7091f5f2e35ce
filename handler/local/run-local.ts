import type { Config } from '../../core/config.ts';
import { SttError } from '../../core/errors.ts';
import { createLogger } from '../../core/logger.ts';
import { type LocalCommand, parseLocalArguments } from './arguments.ts';
import { runInOrder } from './in-order.ts';
import { createJobRunner, type JobRunner, type RunnerOptions } from './job-runner.ts';
import { type LocalJob, readJobs } from './local-jobs.ts';
import {
  createProgressDisplay,
  type OutputStream,
  type ProgressDisplay,
} from './progress-display.ts';
import { Refusal } from './refusal.ts';
import { USAGE } from './usage.ts';
import { createResultWriter, isFailure, type WriteResult } from './write-result.ts';

export interface LocalOptions extends Pick<RunnerOptions, 'createServices' | 'dispatch'> {
  /** Without the program and the script. */
  readonly argv: readonly string[];
  readonly config: Config;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly cwd: string;
  readonly version: string;
  readonly signal: AbortSignal;
}

type RunCommand = Extract<LocalCommand, { kind: 'run' }>;

/** Jobs side by side, so that the engine can decode windows of several in one batch. */
const CONCURRENT_JOBS = 4;

/** Runs what the command line asks for and returns the exit code: 0, 1 a job failed, 2 bad usage. */
export async function runLocal(options: LocalOptions): Promise<number> {
  const { argv, stdout, stderr, version } = options;
  try {
    const command = parseLocalArguments(argv);
    switch (command.kind) {
      case 'help':
        stdout.write(USAGE);
        return 0;
      case 'version':
        stdout.write(`${version}\n`);
        return 0;
      case 'run':
        return await runCommand(command, options);
    }
  } catch (thrown) {
    if (thrown instanceof Refusal) {
      stderr.write(`${thrown.message}${thrown.exitCode === 2 ? ' (see --help)' : ''}\n`);
      return thrown.exitCode;
    }
    stderr.write(`${describeError(SttError.from(thrown))}\n`);
    return 1;
  }
}

async function runCommand(command: RunCommand, options: LocalOptions): Promise<number> {
  const { config, cwd, stderr } = options;
  const jobs = await readJobs(command.origin, { cwd, audioRoot: config.audio.root ?? cwd });
  const writeResult = createResultWriter(command.origin, jobs, options);
  const display = createProgressDisplay(stderr, jobs.length);
  try {
    const logger = createLogger(config.logLevel, display);
    const runnerOptions = { ...options, endpointId: command.endpointId, logger, display };
    const runner = await createJobRunner(runnerOptions);
    try {
      return await runJobs(jobs, runner, writeResult, display);
    } finally {
      await runner.close();
    }
  } finally {
    display.close();
  }
}

async function runJobs(
  jobs: readonly LocalJob[],
  runner: JobRunner,
  writeResult: WriteResult,
  display: ProgressDisplay,
): Promise<number> {
  let failedCount = 0;
  const fail = (name: string, error: string): void => {
    failedCount++;
    display.write(`${name}: ${error}\n`);
  };
  await runInOrder([...jobs.entries()], {
    limit: CONCURRENT_JOBS,
    work: ([index, job]) => runner.run(job, ({ fraction }) => display.update(index, fraction)),
    deliver: async (output, index) => {
      const { name } = jobs[index]!;
      if (isFailure(output)) fail(name, describeError(output.error));
      else display.update(index, 1);
      display.makeRoom();
      await writeResult(output, index).catch(() => fail(name, 'the result could not be written'));
    },
  });
  return failedCount === 0 ? 0 : 1;
}

/** For the person at the terminal; a foreign worker may have put anything there. */
function describeError(error: unknown): string {
  const isOurs =
    typeof error === 'object' && error !== null && 'code' in error && 'message' in error;
  return isOurs ? `${error.code}: ${error.message}` : 'the job failed';
}
