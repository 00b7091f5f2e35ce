import { Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type Config, loadConfig } from '../../../core/config.ts';
import { createLogger } from '../../../core/logger.ts';
import type { JobHandler } from '../../../handler/job.ts';
import type { Timing } from '../../../handler/runpod/timing.ts';
import { runWorker, type WorkerOptions } from '../../../handler/runpod/worker.ts';
import { FakeRunpodApi, type FakeRunpodOptions, type Scenario } from '../../fakes/runpod-api.ts';

/** For `expect.poll`: a busy machine is not a failure. */
export const PATIENT = { timeout: 10_000 };

/** Production's order of magnitudes, a hundred times faster. */
const FAST_TIMING: Partial<Timing> = {
  pollTimeoutMs: 5000,
  pollGraceMs: 20,
  takeFloorMs: 10,
  takeBackoffFirstMs: 5,
  takeBackoffMaxMs: 40,
  rateLimitMs: 50,
  capacityPollMs: 10,
  stopFloorMs: 10,
  postTimeoutMs: 5000,
  postRetryMs: [10, 20, 40, 80, 150],
  progressIntervalMs: 20,
  progressCloseMs: 1000,
  pingRetryMs: [0, 20, 40],
  unhealthyPingMs: 1000,
  hurryMs: 300,
  random: () => 0.5,
};

export interface Setup extends Partial<Pick<WorkerOptions, 'capacity' | 'fitnessChecks'>> {
  readonly scenario?: Scenario;
  readonly handler?: JobHandler;
  readonly config?: Partial<Config['runpod']>;
  readonly timing?: Partial<Timing>;
  readonly api?: FakeRunpodOptions;
  /** Off by default: its thread takes a moment to start. */
  readonly heartbeat?: boolean;
}

export interface RunningWorker {
  readonly api: FakeRunpodApi;
  readonly exitCode: Promise<number>;
  readonly logs: readonly Record<string, unknown>[];
  readonly shutdown: () => void;
  readonly hurry: () => void;
  /** Shuts down and waits. */
  readonly stop: () => Promise<number>;
}

/** A worker and its stand-in platform in this process; both are gone when the test ends. */
export async function startWorker(setup: Setup = {}): Promise<RunningWorker> {
  const api = await FakeRunpodApi.start(setup.scenario, setup.api);
  const logs: Record<string, unknown>[] = [];
  const shutdown = new AbortController();
  const hurry = new AbortController();
  const exitCode = runWorker({
    config: workerConfig(api, setup),
    handler: setup.handler ?? echo,
    fitnessChecks: setup.fitnessChecks ?? [],
    ...(setup.capacity && { capacity: setup.capacity }),
    logger: createLogger('debug', logSink(logs)),
    version: '0.1.0',
    shutdown: shutdown.signal,
    hurry: hurry.signal,
    timing: { ...FAST_TIMING, ...setup.timing },
  });
  const stop = (): Promise<number> => {
    shutdown.abort();
    return exitCode;
  };
  onTestFinished(async () => {
    hurry.abort();
    await stop();
    await api.close();
  });
  return {
    api,
    exitCode,
    logs,
    shutdown: () => shutdown.abort(),
    hurry: () => hurry.abort(),
    stop,
  };
}

/** The handler that was used for the recordings. */
export const echo: JobHandler = async (job) => ({
  echo: job.input,
  jobkeys: Object.keys(job).sort(),
});

function workerConfig(api: FakeRunpodApi, { config, heartbeat }: Setup): Config['runpod'] {
  const { runpod } = loadConfig({ ...api.environment(), RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: 'true' });
  return {
    ...runpod,
    concurrency: 1, // one after the other, so that a script of requests can be followed
    pingIntervalMs: 40,
    ...(!heartbeat && { pingUrl: undefined }),
    ...config,
  };
}

const logSink = (logs: Record<string, unknown>[]): Writable =>
  new Writable({
    write: (line, _encoding, done) => {
      logs.push(JSON.parse(String(line)));
      done();
    },
  });
