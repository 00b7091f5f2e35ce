import { basename } from 'node:path';
import type { DeviceOptions } from './engine/protocol.ts';
import { whisperFiles } from './hub/needs.ts';
import type { HubOptions } from './hub/options.ts';
import { resolveModel } from './hub/resolve-model.ts';
import { EMBEDDED_WHISPER } from './load-models.ts';

/** What a GPU runs when nothing is configured. */
const CUDA_DEFAULT = 'openai/whisper-large-v3';

export interface LocatedModel {
  /** As it appears in results: the repository, or the folder's last part. */
  readonly name: string;
  readonly folder: string;
}

/**
 * The checkpoint to load: the configured one, else large-v3 on a GPU and the embedded one on a CPU.
 * Downloads what is not on this machine.
 * @throws {SttError} MODEL_*, DISK_FULL.
 */
export async function locateWhisper(
  setting: string | undefined,
  device: DeviceOptions['device'],
  options: HubOptions,
  signal: AbortSignal,
): Promise<LocatedModel> {
  const reference = setting ?? (device === 'cuda' ? CUDA_DEFAULT : undefined);
  if (reference === undefined) return EMBEDDED_WHISPER;
  const { folder, source } = await resolveModel(reference, whisperFiles, options, signal);
  return { name: source === 'folder' ? basename(folder) : reference, folder };
}
