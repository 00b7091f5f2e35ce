import { join } from 'node:path';
import { SttError } from '../core/errors.ts';
import type { SpeechRecognizer } from '../pipeline/contracts.ts';
import { defaultBatchSize } from './device.ts';
import { type EngineOptions, InferenceEngine } from './engine/engine.ts';
import type { ComputeType, DeviceOptions, LoadTimes } from './engine/protocol.ts';
import type { SchedulerTrouble } from './engine/window-scheduler.ts';
import { PyannoteSegmentation } from './segmentation/pyannote-segmentation.ts';
import { SpeakerEncoder } from './speaker-embedding/speaker-encoder.ts';
import { SileroVad } from './vad/silero-vad.ts';
import { AlignmentRegistry, type AlignmentRegistryOptions } from './wav2vec2/alignment-registry.ts';
import { WhisperRecognizer } from './whisper/whisper-recognizer.ts';

const EMBEDDED = join(import.meta.dirname, 'embedded');

const embeddedWhisper = (folder: string) => ({
  name: `embedded/${folder}`,
  folder: join(EMBEDDED, folder),
});
/** Multilingual: what runs on a CPU when nothing else is configured. */
export const WHISPER_BASE = embeddedWhisper('whisper-base');
/** English only, half the work: for tests, and where `WHISPER_MODEL` names it. */
export const WHISPER_TINY_EN = embeddedWhisper('whisper-tiny.en');

export interface ModelSettings {
  readonly device: DeviceOptions['device'];
  /** Threads of one run on the CPU; 0 = one per core. */
  readonly threads: number;
  /** `auto` and `int8`: float16 on CUDA, float32 on the CPU; what is in 8 bits is in the files. */
  readonly computeType: 'auto' | 'int8' | ComputeType;
  /** Undefined: by the device's memory. */
  readonly batchSize: number | undefined;
  /** `CUDA_VISIBLE_DEVICES`. */
  readonly visibleGpus?: string | undefined;
  /** Longest run; undefined: by the device. */
  readonly runLimitMs?: number | undefined;
  /** Name as it appears in results, and the checkpoint's folder. */
  readonly whisper: { readonly name: string; readonly folder: string };
  /** Left out: words are timed by attention only. */
  readonly alignment?: Pick<AlignmentRegistryOptions, 'hub' | 'maxBytes' | 'overrides'>;
}

/** What went wrong and has been dealt with; nobody's job has failed for it, or only those under way. */
export type EngineTrouble =
  | SchedulerTrouble
  | { readonly kind: 'engine-restarted'; readonly error: SttError }
  | { readonly kind: 'gpu-memory-unknown'; readonly batchSize: number };

export type LoadedModels = Awaited<ReturnType<typeof loadNetworks>> & {
  /** What decodes live windows in a language, null: to be detected. */
  liveRecognizer(language: string | null): Promise<SpeechRecognizer>;
  readonly alignmentModels: AlignmentRegistry | null;
  /** Of all networks together. */
  readonly loadTimes: LoadTimes;
  close(): Promise<void>;
};

/**
 * Starts the engines with every network that a transcription needs.
 * @param onFatal called when an engine has died and will not come back.
 * @param onTrouble called when something failed and is tried again, or is not as it should be.
 * @throws {SttError} MODEL_*, DEVICE_UNAVAILABLE; nothing is left running then.
 */
export async function loadModels(
  settings: ModelSettings,
  onFatal: (error: SttError) => void,
  onTrouble: (trouble: EngineTrouble) => void = () => {},
): Promise<LoadedModels> {
  const loadTimes = { buildMs: 0, createMs: 0 };
  const engines = startEngines(settings, onFatal, {
    runLimitMs: settings.runLimitMs ?? RUN_LIMIT_MS[settings.device],
    onRestart: (error) => onTrouble({ kind: 'engine-restarted', error }),
    onLoad: (_, { buildMs, createMs }) => {
      loadTimes.buildMs += buildMs;
      loadTimes.createMs += createMs;
    },
  });
  const closing = new AbortController();
  const close = async (): Promise<void> => {
    closing.abort();
    await Promise.all(Object.values(engines).map((engine) => engine.close()));
  };
  try {
    const networks = await loadNetworks(engines, settings, onTrouble);
    const liveRecognizer = liveRecognizers(engines, settings, networks.recognizer);
    const alignmentModels = alignmentRegistry(engines, settings, onTrouble, closing.signal);
    return { ...networks, liveRecognizer, alignmentModels, loadTimes: { ...loadTimes }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Far above what any batch takes: a GPU that hangs blocks its worker until then. */
const RUN_LIMIT_MS = { cuda: 300_000, cpu: 1_800_000 } as const;

interface Engines {
  /** For networks that are worth the device. */
  readonly onDevice: InferenceEngine;
  /**
   * For small networks that are always on the CPU: beside a GPU a thread of their own, so that
   * neither waits for the other; else the same engine, since two would fight for the cores.
   */
  readonly onCpu: InferenceEngine;
}

function startEngines(
  { device, threads }: ModelSettings,
  onFatal: (error: SttError) => void,
  options: EngineOptions,
): Engines {
  const onDevice = new InferenceEngine({ device, threads }, onFatal, options);
  const onCpu =
    device === 'cpu' ? onDevice : new InferenceEngine({ device: 'cpu', threads }, onFatal, options);
  return { onDevice, onCpu };
}

/** One line for each network; what it returns is in `LoadedModels`. */
async function loadNetworks(
  { onDevice, onCpu }: Engines,
  settings: ModelSettings,
  onTrouble: (trouble: EngineTrouble) => void,
) {
  // A thread of their own beside a GPU, where they would wait for Whisper and Whisper for them.
  const speakers = onDevice === onCpu ? onCpu : onDevice.sibling();
  return {
    voiceActivity: await SileroVad.load(onCpu, join(EMBEDDED, 'silero-vad'), onCpu !== onDevice),
    segmentation: await PyannoteSegmentation.load(speakers),
    embedding: await SpeakerEncoder.load(speakers),
    recognizer: await WhisperRecognizer.load(onDevice, {
      modelName: settings.whisper.name,
      folder: settings.whisper.folder,
      computeType: computeTypeOf(settings),
      batchSize: settings.batchSize ?? (await batchSizeByMemory(settings, onTrouble)),
      onTrouble,
    }),
  };
}

/**
 * On a CPU the default, base, takes twice as long for a live window as tiny.en, which serves English:
 * loaded by the first such window (docs/decisions/0030). Everything else has the recogniser.
 */
function liveRecognizers(
  { onDevice }: Engines,
  settings: ModelSettings,
  recognizer: WhisperRecognizer,
): LoadedModels['liveRecognizer'] {
  const hasEnglish = settings.device === 'cpu' && settings.whisper.folder === WHISPER_BASE.folder;
  let english: Promise<WhisperRecognizer> | undefined;
  const load = (): Promise<WhisperRecognizer> =>
    WhisperRecognizer.load(onDevice, {
      modelName: WHISPER_TINY_EN.name,
      folder: WHISPER_TINY_EN.folder,
      computeType: computeTypeOf(settings),
      batchSize: recognizer.batchSize,
      session: WHISPER_TINY_EN.name,
      meter: recognizer.meter,
    }).catch((error: unknown) => {
      english = undefined;
      throw error;
    });
  return (language) => {
    if (!hasEnglish || language !== 'en') return Promise.resolve(recognizer);
    english ??= load();
    return english;
  };
}

/** On a thread of its own: a model that is loaded in the middle of a job keeps nobody else waiting. */
function alignmentRegistry(
  { onDevice }: Engines,
  settings: ModelSettings,
  onTrouble: (trouble: SchedulerTrouble) => void,
  stop: AbortSignal,
): AlignmentRegistry | null {
  const { alignment } = settings;
  if (alignment === undefined) return null;
  const options = { ...alignment, computeType: computeTypeOf(settings), onTrouble };
  return new AlignmentRegistry(onDevice.sibling(), options, stop);
}

async function batchSizeByMemory(
  { device, visibleGpus }: ModelSettings,
  onTrouble: (trouble: EngineTrouble) => void,
): Promise<number> {
  const { batchSize, isKnown } = await defaultBatchSize(device, visibleGpus);
  if (!isKnown) onTrouble({ kind: 'gpu-memory-unknown', batchSize });
  return batchSize;
}

/** @throws {SttError} DEVICE_UNAVAILABLE: the CPU has no kernels for float16. */
function computeTypeOf({ computeType, device }: ModelSettings): ComputeType {
  if (computeType === 'auto' || computeType === 'int8') {
    return device === 'cuda' ? 'float16' : 'float32';
  }
  if (computeType === 'float16' && device === 'cpu') {
    throw new SttError('DEVICE_UNAVAILABLE', 'COMPUTE_TYPE=float16 needs a GPU');
  }
  return computeType;
}
