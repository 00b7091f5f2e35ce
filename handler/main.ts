import { readFileSync } from 'node:fs';
import { openAudio } from '../audio/open-audio.ts';
import { sweepSpool } from '../audio/spool.ts';
import { type Config, loadConfig } from '../core/config.ts';
import { SttError } from '../core/errors.ts';
import { createLogger, type Logger, syncDestination } from '../core/logger.ts';
import { assertGpuAnswers, chooseDevice } from '../models/device.ts';
import type { SchedulerTrouble } from '../models/engine/window-scheduler.ts';
import { everyFewSeconds } from '../models/hub/progress-lines.ts';
import { EMBEDDED_WHISPER, type LoadedModels, loadModels } from '../models/load-models.ts';
import { loadVoiceActivity } from '../models/load-voice-activity.ts';
import { locateWhisper } from '../models/locate-whisper.ts';
import { processRecording } from '../pipeline/process-recording.ts';
import { type LiveWindow, recognizeWindow } from '../pipeline/realtime/recognize-window.ts';
import { createGateway } from './gateway/create-gateway.ts';
import { WorkerBudget } from './gateway/worker-budget.ts';
import type { ServiceEngine } from './http/engine-slot.ts';
import { runService } from './http/run-service.ts';
import { LocalExecutor, tellingSegments } from './jobs/local-executor.ts';
import { runLocal } from './local/run-local.ts';
import { localWindows } from './realtime/local-windows.ts';
import { RealtimeModule } from './realtime/realtime-module.ts';
import { remoteWindows } from './realtime/remote-windows.ts';
import { runStreamJob } from './realtime/stream-job.ts';
import { isStreamInput } from './realtime/stream-schema.ts';
import { type JobServices, runJob } from './run-job.ts';
import { tellingEarly } from './runpod/live-progress.ts';
import { listenForShutdown, type ShutdownSignals } from './runpod/signals.ts';
import { runWorker } from './runpod/worker.ts';

/** The composition root: reads the environment, chooses the mode, introduces everyone. */

type Signals = Pick<ShutdownSignals, 'shutdown' | 'hurry'>;

const EXIT_BAD_USAGE = 2;
const DOWNLOAD_LOG_MS = 5000;
const STDOUT = 1;
/** Batches that may wait in front of the engine before no more jobs are taken. */
const BATCHES_AHEAD = 2;

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };

async function main(): Promise<number> {
  const config = readConfig();
  if (config === undefined) return EXIT_BAD_USAGE;
  await sweepSpool(config.audio.spoolDir);
  const signals = listenForShutdown();
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
    createServices: async (logger) => {
      const failed = new AbortController();
      const models = await startModels(config, logger, failed, signal);
      return {
        jobServices: (audioRoot) => jobServices({ ...config.audio, root: audioRoot }, models),
        close: () => models.close(),
      };
    },
  });
}

/** The HTTP service: with the engine in this process, or in front of a RunPod endpoint. */
async function runServer(config: Config, signals: Signals): Promise<number> {
  const logger = createLogger(config.logLevel, syncDestination(STDOUT));
  const failed = new AbortController();
  const gateway = createGateway(config);
  const realtime = new RealtimeModule(config);
  const startHere = async (signal: AbortSignal): Promise<ServiceEngine> => {
    const models = await startModels(config, logger, failed, signal);
    await warmUp(models, logger);
    if (gateway === undefined) {
      const { recognizer, voiceActivity } = models;
      const windows = localWindows((window, stop) => recognizeWindow(window, recognizer, stop));
      await realtime.serve({ recognizer: windows, voiceActivity });
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
      const { voiceActivity } = await loadVoiceActivity((error) => failed.abort(error));
      const recognizer = remoteWindows((input, stop) => windows.recognize(input, stop));
      await realtime.serve({ recognizer, voiceActivity });
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

function serviceEngine(config: Config, models: LoadedModels): ServiceEngine {
  const { recognizer } = models;
  return {
    executor: new LocalExecutor({
      audioRoot: config.audio.root,
      services: (root) => jobServices({ ...config.audio, root }, models),
    }),
    model: recognizer.modelName,
    device: chooseDevice(config.engine.device),
    languages: recognizer.languages,
    models: [
      { name: recognizer.modelName, task: 'recognition' },
      { name: 'embedded/silero-vad', task: 'voice_activity' },
      { name: 'embedded/pyannote-segmentation', task: 'speaker_segmentation' },
      { name: 'embedded/ge2e-speaker-encoder', task: 'speaker_voices' },
    ],
    stats: () => recognizer.stats(),
    close: () => models.close(),
  };
}

/** RunPod's queue: models are loaded and warmed as a fitness check, then jobs are taken. */
async function runOnQueue(config: Config, { shutdown, hurry }: Signals): Promise<number> {
  const logger = createLogger(config.logLevel, syncDestination(STDOUT));
  const failed = new AbortController();
  let models: LoadedModels | undefined;
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
          run: () => assertGpuAnswers(chooseDevice(config.engine.device)),
        },
        {
          name: 'engine',
          run: async (signal) => {
            models = await startModels(config, logger, failed, signal);
            await warmUp(models, logger);
          },
        },
      ],
      capacity: () => (isBacklogged(models) ? 0 : config.runpod.concurrency),
      handler: (job, context) => {
        const services = jobServices(config.audio, ready(models));
        if (!isStreamInput(job.input)) {
          const early = tellingEarly(context);
          return runJob(job, tellingSegments(services, early), early);
        }
        return runStreamJob(job, streamServices(services, ready(models)), context);
      },
    });
    return failed.signal.aborted ? 1 : exitCode;
  } finally {
    await models?.close();
  }
}

const isBacklogged = (models: LoadedModels | undefined): boolean =>
  models !== undefined &&
  models.recognizer.queueLength >= BATCHES_AHEAD * models.recognizer.batchSize;

function ready(models: LoadedModels | undefined): LoadedModels {
  if (models === undefined) throw new SttError('INTERNAL', 'A job came before the models');
  return models;
}

/** `failed` is aborted when the engine has died for good. */
async function startModels(
  config: Config,
  logger: Logger,
  failed: AbortController,
  signal: AbortSignal,
): Promise<LoadedModels> {
  const startedAt = performance.now();
  const { batchSize, computeType, threads, whisperModel } = config.engine;
  const device = chooseDevice(config.engine.device);
  const hooks = {
    onProgress: everyFewSeconds(DOWNLOAD_LOG_MS, (progress) =>
      logger.info(progress, 'model downloading'),
    ),
    onQuantize: everyFewSeconds(DOWNLOAD_LOG_MS, ({ doneBytes, totalBytes }) =>
      logger.info({ doneBytes, totalBytes }, 'model being quantized'),
    ),
    onTemporary: () => logger.warn('quantized model kept in the temporary folder'),
  };
  const setting = { model: whisperModel, computeType, device };
  const whisper = await locateWhisper(setting, { ...config.hub, hooks }, signal);
  const locateMs = elapsedSince(startedAt);
  const models = await loadModels(
    { device, threads, computeType, batchSize, whisper, ...alignmentOf(config, whisper) },
    (error) => {
      logger.error({ err: error }, 'engine failed for good');
      failed.abort(error);
    },
    (trouble) => reportTrouble(trouble, logger),
  );
  const loadMs = elapsedSince(startedAt) - locateMs;
  logger.info({ model: whisper.name, device, locateMs, loadMs }, 'models loaded');
  return models;
}

/** The embedded model needs no network, and so do its word times unless they are asked for. */
function alignmentOf({ alignment, hub }: Config, whisper: { readonly name: string }) {
  const { mode, maxLoaded, models: overrides } = alignment;
  const isWanted = mode === 'ctc' || (mode === 'auto' && whisper.name !== EMBEDDED_WHISPER.name);
  return isWanted ? { alignment: { hub, maxLoaded, overrides } } : {};
}

async function warmUp(models: LoadedModels, logger: Logger): Promise<void> {
  const startedAt = performance.now();
  await models.recognizer.warmUp((windows, windowsMs) =>
    logger.info({ windows, elapsedMs: windowsMs }, 'batch size warmed up'),
  );
  logger.info({ elapsedMs: elapsedSince(startedAt) }, 'engine warmed up');
}

function reportTrouble(trouble: SchedulerTrouble, logger: Logger): void {
  const { rows } = trouble;
  if (trouble.kind === 'batch-size-reduced') {
    logger.warn({ rows, batchSize: trouble.batchSize }, 'batch size reduced');
  } else {
    logger.warn({ rows, err: trouble.error }, 'batch retried row by row');
  }
}

const streamServices = ({ openAudio }: JobServices, { recognizer }: LoadedModels) => ({
  openAudio,
  modelName: recognizer.modelName,
  maxWindowSamples: recognizer.maxWindowSamples,
  recognizeWindow: (window: LiveWindow, signal: AbortSignal) =>
    recognizeWindow(window, recognizer, signal),
});

function jobServices(limits: Config['audio'], models: LoadedModels): JobServices {
  return {
    openAudio: (source, signal, maxBytes = limits.maxBytes) =>
      openAudio(source, { ...limits, maxBytes: Math.min(maxBytes, limits.maxBytes) }, signal),
    transcribe: (waveform, options, hooks, signal) =>
      processRecording(waveform, options, models, hooks, signal),
  };
}

const elapsedSince = (startedAt: number): number => Math.round(performance.now() - startedAt);

process.exit(await main());
