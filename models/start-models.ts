import type { Config } from '../core/config.ts';
import type { SttError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { chooseDevice } from './device.ts';
import { downloadLog } from './hub/download-log.ts';
import type { AcquisitionStage, DownloadHooks, DownloadProgress } from './hub/options.ts';
import {
  EMBEDDED_WHISPER,
  type EngineTrouble,
  type LoadedModels,
  loadModels,
} from './load-models.ts';
import { locateWhisper } from './locate-whisper.ts';

export interface StartedModels extends LoadedModels {
  readonly device: 'cuda' | 'cpu';
  /** Runs what jobs will run, once; the log gets the whole start by stage. */
  warmUp(): Promise<void>;
}

export interface StartOptions {
  readonly logger: Logger;
  /** Aborted when the engine has died for good. */
  readonly failed: AbortController;
  /** Shows how a file is coming along, instead of lines in the log. */
  readonly onTransfer?: ((transfer: DownloadProgress) => void) | undefined;
}

type Stage = AcquisitionStage | 'build' | 'load' | 'warmUp';

/**
 * Finds or downloads the models that the settings ask for and loads them, telling the log.
 * @throws {SttError} MODEL_*, DISK_FULL, DEVICE_UNAVAILABLE, GPU_OUT_OF_MEMORY.
 */
export async function startModels(
  config: Config,
  { logger, failed, onTransfer }: StartOptions,
  signal: AbortSignal,
): Promise<StartedModels> {
  const startedAt = performance.now();
  const { visibleGpus, whisperModel, batchSize, computeType, threads, runLimitMs } = config.engine;
  const device = chooseDevice(config.engine.device, visibleGpus);
  const stagesMs: Partial<Record<Stage, number>> = {};
  const log = { ...downloadLog(logger), ...(onTransfer && shown(onTransfer)) };
  const whisper = await locateWhisper(
    { model: whisperModel, computeType, device },
    { ...config.hub, hooks: { ...log, onStage: (stage, ms) => note(stagesMs, stage, ms) } },
    signal,
  );
  const alignment = alignmentOf(config, whisper.name, log);
  const engine = { device, visibleGpus, batchSize, computeType, threads, runLimitMs };
  const onFatal = (error: SttError): void => {
    logger.error({ err: error }, 'engine failed for good');
    failed.abort(error);
  };
  const models = await loadModels({ ...engine, whisper, ...alignment }, onFatal, (trouble) =>
    logTrouble(trouble, logger),
  );
  note(stagesMs, 'build', models.loadTimes.buildMs);
  note(stagesMs, 'load', models.loadTimes.createMs);
  const described = { model: whisper.name, device };
  logger.info({ ...described, elapsedMs: since(startedAt), stagesMs }, 'models loaded');
  const warmUp = async (): Promise<void> => {
    const warmedAt = performance.now();
    await models.recognizer.warmUp((windows, elapsedMs) =>
      logger.info({ windows, elapsedMs }, 'batch size warmed up'),
    );
    note(stagesMs, 'warmUp', since(warmedAt));
    logger.info({ ...described, elapsedMs: since(startedAt), stagesMs }, 'engine ready');
  };
  return { ...models, device, warmUp };
}

const since = (startedAt: number): number => Math.round(performance.now() - startedAt);

function note(stagesMs: Partial<Record<Stage, number>>, stage: Stage, ms: number): void {
  stagesMs[stage] = Math.round((stagesMs[stage] ?? 0) + ms);
}

const shown = (onTransfer: (transfer: DownloadProgress) => void): DownloadHooks => ({
  onProgress: onTransfer,
  onQuantize: (progress) => onTransfer({ ...progress, file: `${progress.file} in 8 bits` }),
});

/** The embedded model needs no network, and so do its word times unless they are asked for. */
function alignmentOf({ alignment, hub }: Config, whisperName: string, hooks: DownloadHooks) {
  const { mode, maxLoaded, models: overrides } = alignment;
  const isWanted = mode === 'ctc' || (mode === 'auto' && whisperName !== EMBEDDED_WHISPER.name);
  return isWanted ? { alignment: { hub: { ...hub, hooks }, maxLoaded, overrides } } : {};
}

function logTrouble(trouble: EngineTrouble, logger: Logger): void {
  switch (trouble.kind) {
    case 'batch-size-reduced': {
      const { rows, batchSize, shape } = trouble;
      logger.warn({ rows, batchSize, ...(shape && { search: shape }) }, 'batch size reduced');
      return;
    }
    case 'batch-retried':
      logger.warn({ rows: trouble.rows, err: trouble.error }, 'batch retried row by row');
      return;
    case 'engine-restarted':
      logger.warn({ err: trouble.error }, 'engine restarted');
      return;
    case 'gpu-memory-unknown':
      logger.warn({ batchSize: trouble.batchSize }, 'GPU memory unknown');
      return;
  }
}
