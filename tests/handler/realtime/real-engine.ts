import { openAudio } from '../../../audio/open-audio.ts';
import type { Config } from '../../../core/config.ts';
import { loadConfig } from '../../../core/config.ts';
import { createLogger } from '../../../core/logger.ts';
import type { JobContext } from '../../../handler/job.ts';
import type { WindowRecognizer } from '../../../handler/realtime/contracts.ts';
import { localWindows } from '../../../handler/realtime/local-windows.ts';
import type { StreamServices } from '../../../handler/realtime/stream-job.ts';
import { type LoadedModels, loadModels, WHISPER_TINY_EN } from '../../../models/load-models.ts';
import { hearWindow } from '../../../pipeline/realtime/hear-window.ts';

const config: Config = loadConfig({});

/** The embedded networks as the worker loads them. */
export const loadEngine = (): Promise<LoadedModels> =>
  loadModels(
    { device: 'cpu', threads: 0, computeType: 'auto', batchSize: 2, whisper: WHISPER_TINY_EN },
    () => {},
  );

export const streamServices = (models: LoadedModels): StreamServices => ({
  modelName: models.recognizer.modelName,
  maxWindowSamples: models.recognizer.maxWindowSamples,
  openAudio: (source, signal) => openAudio(source, config.audio, signal),
  recognizeWindow: (window, signal) => hearWindow(window, models, signal),
});

/** As `handler/main.ts` wires it. */
export const engineWindows = (models: LoadedModels): WindowRecognizer =>
  localWindows((window, signal) => hearWindow(window, models, signal));

export const jobContext = (): JobContext => ({
  signal: new AbortController().signal,
  logger: createLogger('silent', { write: () => {} }),
  onProgress: () => {},
});
