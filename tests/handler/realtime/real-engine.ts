import { openAudio } from '../../../audio/open-audio.ts';
import type { Config } from '../../../core/config.ts';
import { loadConfig } from '../../../core/config.ts';
import { createLogger } from '../../../core/logger.ts';
import type { JobContext } from '../../../handler/job.ts';
import type { WindowRecognizer } from '../../../handler/realtime/contracts.ts';
import { localWindows } from '../../../handler/realtime/local-windows.ts';
import type { StreamServices } from '../../../handler/realtime/stream-job.ts';
import { EMBEDDED_WHISPER, type LoadedModels, loadModels } from '../../../models/load-models.ts';
import { recognizeWindow } from '../../../pipeline/realtime/recognize-window.ts';

const config: Config = loadConfig({});

/** The embedded networks as the worker loads them. */
export const loadEngine = (): Promise<LoadedModels> =>
  loadModels(
    { device: 'cpu', threads: 0, computeType: 'auto', batchSize: 2, whisper: EMBEDDED_WHISPER },
    () => {},
  );

export const streamServices = ({ recognizer }: LoadedModels): StreamServices => ({
  modelName: recognizer.modelName,
  maxWindowSamples: recognizer.maxWindowSamples,
  openAudio: (source, signal) => openAudio(source, config.audio, signal),
  recognizeWindow: (window, signal) => recognizeWindow(window, recognizer, signal),
});

/** As `handler/main.ts` wires it. */
export const engineWindows = ({ recognizer }: LoadedModels): WindowRecognizer =>
  localWindows((window, signal) => recognizeWindow(window, recognizer, signal));

export const jobContext = (): JobContext => ({
  signal: new AbortController().signal,
  logger: createLogger('silent', { write: () => {} }),
  onProgress: () => {},
});
