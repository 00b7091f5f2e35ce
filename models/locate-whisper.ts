import { basename } from 'node:path';
import type { Config } from '../core/config.ts';
import type { DeviceOptions } from './engine/protocol.ts';
import { whisperFiles } from './hub/needs.ts';
import type { HubOptions } from './hub/options.ts';
import { resolveModel } from './hub/resolve-model.ts';
import { WHISPER_BASE, WHISPER_TINY_EN } from './load-models.ts';
import { quantizedFolder } from './quantized-folder.ts';

/** What a GPU runs when nothing is configured. */
const CUDA_DEFAULT = 'openai/whisper-large-v3';

export interface LocatedModel {
  /** As it appears in results: the repository, or the folder's last part. */
  readonly name: string;
  readonly folder: string;
}

export interface WhisperSetting {
  /** `WHISPER_MODEL`. */
  readonly model: string | undefined;
  /** With `int8` a checkpoint in another form is quantized, once. */
  readonly computeType: Config['engine']['computeType'];
  readonly device: DeviceOptions['device'];
}

/**
 * The checkpoint to load: the configured one, else large-v3 on a GPU and the embedded base, which is
 * in 8 bits, on a CPU. Downloads and quantizes what is not on this machine.
 * @throws {SttError} MODEL_*, DISK_FULL.
 */
export async function locateWhisper(
  { model, computeType, device }: WhisperSetting,
  options: HubOptions,
  signal: AbortSignal,
): Promise<LocatedModel> {
  const reference = model ?? (device === 'cuda' ? CUDA_DEFAULT : undefined);
  if (reference === undefined) return WHISPER_BASE;
  const embedded = [WHISPER_BASE, WHISPER_TINY_EN].find(({ name }) => name === reference);
  if (embedded !== undefined) return embedded;
  const found = await resolveModel(reference, whisperFiles, options, signal);
  const name = found.source === 'folder' ? basename(found.folder) : reference;
  if (computeType !== 'int8') return { name, folder: found.folder };
  return { name, folder: await quantizedFolder(reference, found, options, signal) };
}
