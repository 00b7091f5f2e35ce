import { join } from 'node:path';
import { SttError } from '../core/errors.ts';
import type { VoiceActivityModel } from '../pipeline/contracts.ts';
import { defaultBatchSize } from './device.ts';
import { InferenceEngine } from './engine/engine.ts';
import type { ComputeType, DeviceOptions } from './engine/protocol.ts';
import { SileroVad } from './vad/silero-vad.ts';
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
  /** `auto`: float16 on CUDA, float32 on the CPU. */
  readonly computeType: 'auto' | ComputeType;
  /** Undefined: by the device's memory. */
  readonly batchSize: number | undefined;
  /** Name as it appears in results, and the checkpoint's folder. */
  readonly whisper: { readonly name: string; readonly folder: string };
}

export interface LoadedModels {
  readonly recognizer: WhisperRecognizer;
  readonly voiceActivity: VoiceActivityModel;
  close(): Promise<void>;
}

/**
 * Starts the engine with every network that a transcription needs.
 * @param onFatal called when the engine has died and will not come back.
 * @throws {SttError} MODEL_*, DEVICE_UNAVAILABLE; nothing is left running then.
 */
export async function loadModels(
  settings: ModelSettings,
  onFatal: (error: SttError) => void,
): Promise<LoadedModels> {
  const { device, threads, whisper } = settings;
  const computeType = computeTypeOf(settings);
  const engine = new InferenceEngine({ device, threads }, onFatal);
  try {
    const voiceActivity = await SileroVad.load(engine, join(EMBEDDED, 'silero-vad'));
    const recognizer = await WhisperRecognizer.load(engine, {
      modelName: whisper.name,
      folder: whisper.folder,
      computeType,
      batchSize: settings.batchSize ?? (await defaultBatchSize(device)),
    });
    return { recognizer, voiceActivity, close: () => engine.close() };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** @throws {SttError} DEVICE_UNAVAILABLE: the CPU has no kernels for float16. */
function computeTypeOf({ computeType, device }: ModelSettings): ComputeType {
  if (computeType === 'auto') return device === 'cuda' ? 'float16' : 'float32';
  if (computeType === 'float16' && device === 'cpu') {
    throw new SttError('DEVICE_UNAVAILABLE', 'COMPUTE_TYPE=float16 needs a GPU');
  }
  return computeType;
}
