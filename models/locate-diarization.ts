import { basename, join } from 'node:path';
import type { Config } from '../core/config.ts';
import type { DeviceOptions } from './engine/protocol.ts';
import { onnxFiles } from './hub/needs.ts';
import type { HubOptions } from './hub/options.ts';
import { parseReference } from './hub/reference.ts';
import { resolveModel } from './hub/resolve-model.ts';
import { DIARIZATION_MODELS } from './registry.ts';

interface LocatedNetwork {
  /** The repository's or the folder's last part: what its vectors are called in results. */
  readonly name: string;
  readonly folder: string;
  readonly isEmbedded: boolean;
}

export interface LocatedDiarization {
  readonly segmentation: LocatedNetwork;
  readonly embedding: LocatedNetwork;
}

const embedded = (folder: string, name: string): LocatedNetwork => ({
  name,
  folder: join(import.meta.dirname, 'embedded', folder),
  isEmbedded: true,
});

/** What comes with the project. */
export const EMBEDDED_DIARIZATION: LocatedDiarization = {
  segmentation: embedded('pyannote-segmentation', 'pyannote-segmentation'),
  embedding: embedded('ge2e-speaker-encoder', 'ge2e'),
};

/** `DIARIZATION_MODEL`, and where `auto` has to choose for. */
export interface DiarizationSetting {
  readonly model: Config['diarization'];
  readonly device: DeviceOptions['device'];
}

/**
 * The networks that tell speakers apart: the configured ones, else pyannote's on a GPU and the
 * embedded ones on a CPU. Downloads what is not on this machine.
 * @throws {SttError} MODEL_*, DISK_FULL.
 */
export async function locateDiarization(
  { model, device }: DiarizationSetting,
  options: HubOptions,
  signal: AbortSignal,
): Promise<LocatedDiarization> {
  const references = referencesOf(model, device);
  if (references === undefined) return EMBEDDED_DIARIZATION;
  const locate = async (reference: string): Promise<LocatedNetwork> => {
    const { folder } = await resolveModel(reference, onnxFiles, options, signal);
    return { name: nameOf(reference, folder), folder, isEmbedded: false };
  };
  const segmentation = await locate(references.segmentation);
  return { segmentation, embedding: await locate(references.embedding) };
}

function referencesOf(
  model: Config['diarization'],
  device: DeviceOptions['device'],
): { readonly segmentation: string; readonly embedding: string } | undefined {
  if (model.preset === 'named') return model;
  if (model.preset === 'embedded' || (model.preset === 'auto' && device === 'cpu'))
    return undefined;
  return {
    segmentation: DIARIZATION_MODELS['speaker-segmentation'].repo,
    embedding: DIARIZATION_MODELS['speaker-embedding'].repo,
  };
}

function nameOf(reference: string, folder: string): string {
  const parsed = parseReference(reference);
  return basename(parsed.kind === 'repo' ? parsed.repo : folder);
}
