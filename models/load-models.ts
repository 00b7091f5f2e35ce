import { join } from 'node:path';
import { SttError } from '../core/errors.ts';
import { defaultBatchSize } from './device.ts';
import { InferenceEngine } from './engine/engine.ts';
import type { ComputeType, DeviceOptions } from './engine/protocol.ts';
import type { SchedulerTrouble } from './engine/window-scheduler.ts';
import { EMBEDDED_DIARIZATION, type LocatedDiarization } from './locate-diarization.ts';
import { PyannoteSegmentation } from './segmentation/pyannote-segmentation.ts';
import { SpeakerEncoder } from './speaker-embedding/speaker-encoder.ts';
import { SileroVad } from './vad/silero-vad.ts';
import { AlignmentRegistry, type AlignmentRegistryOptions } from './wav2vec2/alignment-registry.ts';
import { WhisperRecognizer } from './whisper/whisper-recognizer.ts';

const EMBEDDED = join(import.meta.dirname, 'embedded');

/** The English model that comes with the project: what runs when nothing else is configured. */
export const EMBEDDED_WHISPER = {
  name: 'embedded/whisper-tiny.en',
  folder: join(EMBEDDED, 'whisper-tiny.en'),
} as const;

export interface ModelSettings {
  readonly device: DeviceOptions['device'];
  /** Threads of one run on the CPU; 0 = one per core. */
  readonly threads: number;
  /** `auto` and `int8`: float16 on CUDA, float32 on the CPU; what is in 8 bits is in the files. */
  readonly computeType: 'auto' | 'int8' | ComputeType;
  /** Undefined: by the device's memory. */
  readonly batchSize: number | undefined;
  /** Name as it appears in results, and the checkpoint's folder. */
  readonly whisper: { readonly name: string; readonly folder: string };
  /** Left out: the embedded networks. */
  readonly diarization?: LocatedDiarization;
  /** Left out: words are timed by attention only. */
  readonly alignment?: Pick<AlignmentRegistryOptions, 'hub' | 'maxBytes' | 'overrides'>;
}

export type LoadedModels = Awaited<ReturnType<typeof loadNetworks>> & {
  readonly alignmentModels: AlignmentRegistry | null;
  close(): Promise<void>;
};

/**
 * Starts the engines with every network that a transcription needs.
 * @param onFatal called when an engine has died and will not come back.
 * @param onTrouble called when a batch has failed and its windows are tried again.
 * @throws {SttError} MODEL_*, DEVICE_UNAVAILABLE; nothing is left running then.
 */
export async function loadModels(
  settings: ModelSettings,
  onFatal: (error: SttError) => void,
  onTrouble: (trouble: SchedulerTrouble) => void = () => {},
): Promise<LoadedModels> {
  const engines = startEngines(settings, onFatal);
  const closing = new AbortController();
  const close = async (): Promise<void> => {
    closing.abort();
    await Promise.all(Object.values(engines).map((engine) => engine.close()));
  };
  try {
    const networks = await loadNetworks(engines, settings, onTrouble);
    const { alignment } = settings;
    const computeType = computeTypeOf(settings);
    const alignmentModels =
      alignment === undefined
        ? null
        : new AlignmentRegistry(
            engines.onDevice,
            { ...alignment, computeType, onTrouble },
            closing.signal,
          );
    return { ...networks, alignmentModels, close };
  } catch (error) {
    await close();
    throw error;
  }
}

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
): Engines {
  const onDevice = new InferenceEngine({ device, threads }, onFatal);
  const onCpu =
    device === 'cpu' ? onDevice : new InferenceEngine({ device: 'cpu', threads }, onFatal);
  return { onDevice, onCpu };
}

/** One line for each network; what it returns is in `LoadedModels`. */
async function loadNetworks(
  { onDevice, onCpu }: Engines,
  settings: ModelSettings,
  onTrouble: (trouble: SchedulerTrouble) => void,
) {
  const { segmentation, embedding } = settings.diarization ?? EMBEDDED_DIARIZATION;
  // What is embedded is small: the copies to a GPU would cost more than the work.
  const engineOf = ({ isEmbedded }: { readonly isEmbedded: boolean }): InferenceEngine =>
    isEmbedded ? onCpu : onDevice;
  return {
    voiceActivity: await SileroVad.load(onCpu, join(EMBEDDED, 'silero-vad')),
    segmentation: await PyannoteSegmentation.load(engineOf(segmentation), segmentation.folder),
    embedding: await SpeakerEncoder.load(engineOf(embedding), embedding),
    recognizer: await WhisperRecognizer.load(onDevice, {
      modelName: settings.whisper.name,
      folder: settings.whisper.folder,
      computeType: computeTypeOf(settings),
      batchSize: settings.batchSize ?? (await defaultBatchSize(settings.device)),
      onTrouble,
    }),
  };
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
