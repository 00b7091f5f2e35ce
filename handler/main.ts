import { readFileSync } from 'node:fs';
import { openAudio } from '../audio/open-audio.ts';
import { sweepSpool } from '../audio/spool.ts';
import { type Config, loadConfig } from '../core/config.ts';
import { SttError } from '../core/errors.ts';
import { createLogger, syncDestination } from '../core/logger.ts';
import { assertGpuAnswers, chooseDevice } from '../models/device.ts';
import { EngineReporter } from '../models/engine/engine-report.ts';
import { hasHungThread } from '../models/engine/thread.ts';
import { loadVoiceActivity } from '../models/load-voice-activity.ts';
import { type StartedModels, startModels } from '../models/start-models.ts';
import { processRecording } from '../pipeline/process-recording.ts';
import { hearWindow } from '../pipeline/realtime/hear-window.ts';
import type { LiveWindow } from '../pipeline/realtime/recognize-window.ts';
import { createGateway } from './gateway/create-gateway.ts';
import { WorkerBudget } from './gateway/worker-budget.ts';
import type { ServiceEngine } from './http/engine-slot.ts';
import { runService } from './http/run-service.ts';
import type { Job, JobContext } from './job.ts';
import { LocalExecutor, tellingSegments } from './jobs/local-executor.ts';
import { runLocal } from './local/run-local.ts';
import { localWindows } from './realtime/local-windows.ts';
import { RealtimeModule } from './realtime/realtime-module.ts';
import { remoteWindows } from './realtime/remote-windows.ts';
import { runStreamJob } from './realtime/stream-job.ts';
import { isStreamInput } from './realtime/stream-schema.ts';
import { type JobServices, runJob } from './run-job.ts';
import { tellingEarly } from './runpod/live-progress.ts';
import { leaveAfter, listenForShutdown, type ShutdownSignals } from './runpod/signals.ts';
import { type EngineLoad, TakeCapacity } from './runpod/take-capacity.ts';
import { runWorker } from './runpod/worker.ts';

/** The composition root: reads the environment, chooses the mode, introduces everyone. */

type Signals = Pick<ShutdownSignals, 'shutdown' | 'hurry'>;

const EXIT_BAD_USAGE = 2;
const STDOUT = 1;
/** After a second signal, for errors that are handed in, and after the time to drain, for what was aborted. */
const LEAVE_MS = 5000;
/** What a session may hear between its limit and its end. */
const SESSION_OVERTIME_SEC = 120;
const WAV_BYTES_PER_SEC = 32_000;

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };

async function main(): Promise<number> {
  const config = readConfig();
  if (config === undefined) return EXIT_BAD_USAGE;
  await sweepSpool(config.audio.spoolDir);
  const signals = listenForShutdown();
  leaveAfter(signals.hurry, LEAVE_MS);
  try {
    if (config.runpod.getJobUrl !== undefined) return await runOnQueue(config, signals);
    if (process.argv.includes('--serve') || config.service.port !== undefined) {
      return await runServer(config, signals);
    }
    return await runHere(config, signals.shutdown);
  } finally {
    signals.release();
  }
}

function readConfig(): Config | undefined {
  try {
    return loadConfig(process.env);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'Invalid configuration'}\n`);
    return undefined;
  }
}

/** Jobs from the command line or `test_input.json`; the result alone on stdout. */
function runHere(config: Config, signal: AbortSignal): Promise<number> {
  return runLocal({
    argv: process.argv.slice(2),
    config,
    version,
    signal,
    cwd: process.cwd(),
    stdout: process.stdout,
    stderr: process.stderr,
    createServices: async (logger, { transfer }) => {
      const options = { logger, failed: new AbortController(), onTransfer: transfer };
      const models = await startModels(config, options, signal);
      return {
        jobServices: (audioRoot) =>
          jobServices(config, { ...config.audio, root: audioRoot }, models),
        close: () => models.close(),
      };
    },
  });
}

/** The HTTP service: with the engine in this process, or in front of a RunPod endpoint. */
async function runServer(config: Config, signals: Signals): Promise<number> {
  const logger = createLogger(config.logLevel, syncDestination(STDOUT));
  leaveAfter(signals.shutdown, config.service.drainTimeoutMs + LEAVE_MS);
  const failed = new AbortController();
  const gateway = createGateway(config);
  const realtime = new RealtimeModule(config);
  const loadEars = () => loadVoiceActivity((error) => failed.abort(error));
  const startHere = async (signal: AbortSignal): Promise<ServiceEngine> => {
    const models = await startModels(config, { logger, failed }, signal);
    await models.warmUp();
    if (gateway === undefined) {
      const windows = localWindows((window, stop) => hearWindow(window, models, stop));
      const voiceActivity = await loadEars();
      await realtime.serve({ recognizer: windows, voiceActivity, model: models.recognizer });
    }
    return serviceEngine(config, models);
  };
  return await runService({
    ...signals,
    config,
    logger,
    version,
    failed: failed.signal,
    startEngine: async (signal, { store: { usage } }) => {
      if (gateway === undefined) return startHere(signal);
      const { maxWorkerSecPerDay: maxSecPerDay } = config.gateway;
      const budget = await WorkerBudget.open({ maxSecPerDay, usage, logger });
      const windows = gateway.createWindows(budget);
      const recognizer = remoteWindows((input, stop) => windows.recognize(input, stop));
      await realtime.serve({ recognizer, voiceActivity: await loadEars() });
      const hasFallback = config.gateway.fallback === 'local';
      return gateway.createEngine(budget, hasFallback ? await startHere(signal) : undefined);
    },
    modules: [...(gateway?.modules ?? []), realtime.register],
  }).catch((thrown: unknown) => {
    const error = SttError.from(thrown);
    logger.error({ err: error }, 'service failed');
    return error.code === 'INPUT_INVALID' ? EXIT_BAD_USAGE : 1;
  });
}

function serviceEngine(config: Config, models: StartedModels): ServiceEngine {
  const { recognizer } = models;
  return {
    executor: new LocalExecutor({
      audioRoot: config.audio.root,
      services: (root, isOfLiveSession) =>
        jobServices(config, { ...limitsOf(config, isOfLiveSession), root }, models),
    }),
    model: recognizer.modelName,
    device: models.device,
    languages: recognizer.languages,
    models: models.networks,
    stats: () => recognizer.stats(),
    close: () => models.close(),
  };
}

/** RunPod's queue: models are loaded and warmed as a fitness check, then jobs are taken. */
async function runOnQueue(config: Config, { shutdown, hurry }: Signals): Promise<number> {
  const { device, visibleGpus } = config.engine;
  const logger = createLogger(config.logLevel, syncDestination(STDOUT));
  const failed = new AbortController();
  let models: StartedModels | undefined;
  let reporter: EngineReporter | undefined;
  const capacity = new TakeCapacity(() => loadOf(models));
  try {
    const exitCode = await runWorker({
      config: config.runpod,
      logger,
      version,
      shutdown: AbortSignal.any([shutdown, failed.signal]),
      hurry,
      fitnessChecks: [
        {
          name: 'gpu',
          needsGpu: true,
          run: () => assertGpuAnswers(chooseDevice(device, visibleGpus), visibleGpus),
        },
        {
          name: 'engine',
          run: async (signal) => {
            models = await startModels(config, { logger, failed }, signal);
            await models.warmUp();
            const { recognizer } = models;
            reporter = new EngineReporter(() => recognizer.stats());
          },
        },
      ],
      capacity: () => capacity.room(),
      handler: async (job, context) => {
        const output = await capacity.during(
          isStreamInput(job.input) ? 'window' : 'recording',
          (onHeard) => runQueued(job, { config, models: ready(models), context, onHeard }),
        );
        const report = reporter?.next();
        if (report !== undefined) logger.info(report, 'engine used');
        return output;
      },
    });
    return failed.signal.aborted ? 1 : exitCode;
  } finally {
    await models?.close();
  }
}

function loadOf(models: StartedModels | undefined): EngineLoad | undefined {
  const stats = models?.recognizer.stats();
  return stats && { batchSize: stats.batchSize, waiting: stats.queueLength };
}

interface QueuedJob {
  readonly config: Config;
  readonly models: StartedModels;
  readonly context: JobContext;
  /** To be called when the first window of a recording has been heard. */
  readonly onHeard: () => void;
}

function runQueued(job: Job, { config, models, context, onHeard }: QueuedJob): Promise<object> {
  const services = jobServices(config, config.audio, models);
  if (isStreamInput(job.input)) return runStreamJob(job, streamServices(services, models), context);
  const early = tellingEarly(context);
  const onProgress: JobContext['onProgress'] = (progress) => {
    if (progress.stage === 'transcribe') onHeard();
    early.onProgress(progress);
  };
  return runJob(job, tellingSegments(services, early), { ...early, onProgress });
}

function ready(models: StartedModels | undefined): StartedModels {
  if (models === undefined) throw new SttError('INTERNAL', 'A job came before the models');
  return models;
}

/** A live session was let in under limits of its own. */
function limitsOf({ audio, realtime }: Config, isOfLiveSession: boolean): Config['audio'] {
  if (!isOfLiveSession) return audio;
  const maxSec = Math.max(audio.maxSec, realtime.maxSessionSec + SESSION_OVERTIME_SEC);
  return { ...audio, maxSec, maxBytes: Math.max(audio.maxBytes, maxSec * WAV_BYTES_PER_SEC) };
}

const streamServices = ({ openAudio }: JobServices, models: StartedModels) => ({
  openAudio,
  modelName: models.recognizer.modelName,
  maxWindowSamples: models.recognizer.maxWindowSamples,
  recognizeWindow: (window: LiveWindow, signal: AbortSignal) => hearWindow(window, models, signal),
});

function jobServices(
  { maxDecodeCost }: Config,
  limits: Config['audio'],
  models: StartedModels,
): JobServices {
  return {
    recognizer: models.recognizer,
    maxDecodeCost,
    openAudio: (source, signal, maxBytes = limits.maxBytes) =>
      openAudio(source, { ...limits, maxBytes: Math.min(maxBytes, limits.maxBytes) }, signal),
    transcribe: (waveform, options, hooks, signal) =>
      processRecording(waveform, options, models, hooks, signal),
  };
}

const exitCode = await main();
// `exit` would wait for a thread that hangs in native code, for ever.
if (hasHungThread()) process.kill(process.pid, 'SIGKILL');
process.exit(exitCode);
