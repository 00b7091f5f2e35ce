import type { Config } from '../core/config.ts';
import type { SttError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { chooseDevice } from './device.ts';
import { downloadLog } from './hub/download-log.ts';
import type { AcquisitionStage, DownloadHooks, DownloadProgress } from './hub/options.ts';
import { type EngineTrouble, type LoadedModels, loadModels } from './load-models.ts';
import { locateWhisper } from './locate-whisper.ts';

export interface StartedModels extends LoadedModels {
  readonly device: 'cuda' | 'cpu';
  /** What is loaded, and what it is for. */
  readonly networks: readonly { readonly name: string; readonly task: string }[];
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
  const onStage = (stage: AcquisitionStage, ms: number): void => note(stagesMs, stage, ms);
  const hub = { ...config.hub, hooks: { ...log, onStage } };
  const whisper = await locateWhisper({ model: whisperModel, computeType, device }, hub, signal);
  const alignment = alignmentOf(config, whisper.name, log);
  const engine = { device, visibleGpus, batchSize, computeType, threads, runLimitMs };
  const onFatal = (error: SttError): void => {
    logger.error({ err: error }, 'engine failed for good');
    failed.abort(error);
  };
  const networks = { ...engine, whisper, ...alignment };
  const models = await loadModels(networks, onFatal, (trouble) => logTrouble(trouble, logger));
  await models.alignmentModels
    ?.preload(config.alignment.preload, signal)
    .catch(async (error: unknown) => {
      await models.close();
      throw error;
    });
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
  return { ...models, device, warmUp, networks: networksOf(whisper.name) };
}

const networksOf = (whisperName: string) => [
  { name: whisperName, task: 'recognition' },
  { name: 'embedded/silero-vad', task: 'voice_activity' },
  { name: 'embedded/pyannote-segmentation-3.0', task: 'speaker_segmentation' },
  { name: 'embedded/campplus', task: 'speaker_voices' },
];

const since = (startedAt: number): number => Math.round(performance.now() - startedAt);

function note(stagesMs: Partial<Record<Stage, number>>, stage: Stage, ms: number): void {
  stagesMs[stage] = Math.round((stagesMs[stage] ?? 0) + ms);
}

const shown = (onTransfer: (transfer: DownloadProgress) => void): DownloadHooks => ({
  onProgress: onTransfer,
  onQuantize: (progress) => onTransfer({ ...progress, file: `${progress.file} in 8 bits` }),
});

/** An embedded model needs no network, and so do its word times unless they are asked for. */
function alignmentOf({ alignment, hub }: Config, whisperName: string, hooks: DownloadHooks) {
  const { mode, maxBytes, models: overrides, preload } = alignment;
  const isAsked = mode === 'ctc' || preload.length > 0;
  const isWanted = isAsked || (mode === 'auto' && !whisperName.startsWith('embedded/'));
  return isWanted ? { alignment: { hub: { ...hub, hooks }, maxBytes, overrides } } : {};
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
