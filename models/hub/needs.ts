import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import type { PinnedModel } from '../registry.ts';
import { SLOW_TOKENIZER_FILES, TOKENIZER_FILE } from '../whisper/tokenizer-files.ts';
import { foreignFormat } from './foreign-format.ts';

/** A model's files wherever they are: in a folder, in a cache, on the Hub. */
interface RepoView {
  readonly paths: ReadonlySet<string>;
  readText(path: string): Promise<string>;
}

interface NeededFiles {
  /** In the order in which they may become visible: what a reader cannot do without comes last. */
  readonly files: readonly string[];
  /** Required, but not there. */
  readonly missing: readonly string[];
  /** What is there instead of weights that can be read, and what to do. */
  readonly instead?: string;
}

/** Chooses the files that a model needs from those that its repository has. */
export type ModelNeeds = (view: RepoView) => Promise<NeededFiles>;

const WEIGHTS = 'model.safetensors';
const WEIGHTS_INDEX = 'model.safetensors.index.json';
const WeightsIndex = z.object({ weight_map: z.record(z.string(), z.string()) });

/** Just these files; the optional ones where they exist. */
export const exactFiles =
  (required: readonly string[], optional: readonly string[] = []): ModelNeeds =>
  ({ paths }) =>
    Promise.resolve({
      files: [...optional, ...required].filter((path) => paths.has(path)),
      missing: required.filter((path) => !paths.has(path)),
    });

/** These files and the weights: one `model.safetensors`, or an index and the shards that it names. */
const withSafetensors =
  (required: readonly string[], optional: readonly string[]): ModelNeeds =>
  async (view) => {
    const weights = await safetensorsOf(view);
    const needed = await exactFiles([...required, ...weights], optional)(view);
    const lacksWeights = weights.every((path) => !view.paths.has(path));
    const instead = lacksWeights ? foreignFormat(view.paths) : undefined;
    return { ...needed, ...(instead !== undefined && { instead }) };
  };

/** @throws {SttError} MODEL_INVALID for a model in another form, MODEL_NOT_FOUND for one with gaps. */
export function assertComplete({ missing, instead }: NeededFiles, where: string): void {
  if (instead !== undefined) throw new SttError('MODEL_INVALID', `${where} holds ${instead}`);
  if (missing.length === 0) return;
  throw new SttError('MODEL_NOT_FOUND', `${where} has no ${missing.join(', ')}`);
}

async function safetensorsOf({ paths, readText }: RepoView): Promise<readonly string[]> {
  if (paths.has(WEIGHTS) || !paths.has(WEIGHTS_INDEX)) return [WEIGHTS];
  const index = WeightsIndex.safeParse(parseJson(await readText(WEIGHTS_INDEX)));
  if (!index.success) throw new SttError('MODEL_INVALID', `${WEIGHTS_INDEX} has no weight_map`);
  const shards = [...new Set(Object.values(index.data.weight_map))];
  if (shards.some((path) => !isInFolder(path))) {
    throw new SttError('MODEL_INVALID', `${WEIGHTS_INDEX} names a file outside its folder`);
  }
  return [...shards, WEIGHTS_INDEX];
}

/** Plain names, in folders too, that cannot lead out of the repository's folder. */
const isInFolder = (path: string): boolean =>
  path.split('/').every((part) => /^[\w.-]+$/.test(part) && !/^\.+$/.test(part));

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * What `whisper/` reads of a Whisper; never pickled weights, other frameworks or fp32 variants. A
 * tokenizer in one file, or in the two of fine-tunes that were saved with the slow one.
 */
export const whisperFiles: ModelNeeds = (view) => {
  const isSlow =
    !view.paths.has(TOKENIZER_FILE) && SLOW_TOKENIZER_FILES.some((path) => view.paths.has(path));
  const needs = withSafetensors(
    [...(isSlow ? SLOW_TOKENIZER_FILES : [TOKENIZER_FILE]), 'config.json'],
    ['generation_config.json', 'preprocessor_config.json'],
  );
  return needs(view);
};

/** A wav2vec2 CTC model for forced alignment. */
export const ctcFiles = withSafetensors(
  ['vocab.json', 'config.json'],
  ['preprocessor_config.json', 'tokenizer_config.json', 'special_tokens_map.json'],
);

/** The rule for a model of the registry. */
export function needsOf({ kind }: PinnedModel): ModelNeeds {
  switch (kind) {
    case 'whisper':
      return whisperFiles;
    case 'ctc':
      return ctcFiles;
  }
}
