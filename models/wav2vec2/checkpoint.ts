import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import { readTensorTable, type TensorTable } from '../graph/safetensors.ts';

const sizes = z.array(z.int().positive()).min(1);

const Config = z.object({
  model_type: z.enum(['wav2vec2', 'hubert']),
  hidden_act: z.literal('gelu').default('gelu'),
  feat_extract_activation: z.literal('gelu').default('gelu'),
  feat_extract_norm: z.enum(['group', 'layer']).default('group'),
  feat_proj_layer_norm: z.literal(true).default(true),
  do_stable_layer_norm: z.boolean().default(false),
  layer_norm_eps: z.number().positive().default(1e-5),
  hidden_size: z.int().positive(),
  num_hidden_layers: z.int().positive(),
  num_attention_heads: z.int().positive(),
  conv_dim: sizes,
  conv_kernel: sizes,
  conv_stride: sizes,
  num_conv_pos_embeddings: z.int().positive().default(128),
  num_conv_pos_embedding_groups: z.int().positive().default(16),
  conv_pos_batch_norm: z.literal(false).default(false),
  add_adapter: z.literal(false).default(false),
  adapter_attn_dim: z.null().default(null),
  pad_token_id: z.int().min(0).nullish(),
});

const PreprocessorConfig = z.object({
  do_normalize: z.boolean().default(true),
  sampling_rate: z.literal(16_000).default(16_000),
});

/** A Wav2Vec2ForCTC or HubertForCTC in Hugging Face layout: what its graph is built from. */
export interface Wav2Vec2Checkpoint {
  readonly tensors: TensorTable;
  /** In front of every tensor's name but those of `lm_head`: `wav2vec2.`, `hubert.` or nothing. */
  readonly prefix: string;
  /** `group`: the first convolution alone is normalised, over time; `layer`: each one, over channels. */
  readonly featureNorm: 'group' | 'layer';
  /** Whether layers are normalised before attention rather than after it. */
  readonly normFirst: boolean;
  readonly layerNormEpsilon: number;
  readonly layers: number;
  readonly heads: number;
  readonly convolutions: readonly { readonly kernel: number; readonly stride: number }[];
  readonly positionalKernel: number;
  readonly positionalGroups: number;
  readonly vocabularySize: number;
  readonly padTokenId: number;
  /** Whether each waveform is brought to mean 0 and variance 1 first. */
  readonly normalizeWaveform: boolean;
}

/** @throws {SttError} MODEL_NOT_FOUND, MODEL_INVALID for an architecture that cannot be run. */
export async function readWav2Vec2Checkpoint(folder: string): Promise<Wav2Vec2Checkpoint> {
  const config = parse(Config, await readModelJson(folder, 'config.json'));
  const preprocessor = parse(
    PreprocessorConfig,
    (await readOptionalJson(folder, 'preprocessor_config.json')) ?? {},
  );
  const tensors = await readTensorTable(folder);
  const convolutions = config.conv_kernel.map((kernel, layer) => ({
    kernel,
    stride: config.conv_stride[layer] ?? 1,
  }));
  return {
    tensors,
    prefix: prefixOf(tensors),
    featureNorm: config.feat_extract_norm,
    normFirst: config.do_stable_layer_norm,
    layerNormEpsilon: config.layer_norm_eps,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    convolutions,
    positionalKernel: config.num_conv_pos_embeddings,
    positionalGroups: config.num_conv_pos_embedding_groups,
    vocabularySize: tensors.get('lm_head.weight')!.shape[0]!,
    padTokenId: config.pad_token_id ?? 0,
    normalizeWaveform: preprocessor.do_normalize,
  };
}

/** Samples from one frame to the next, and samples that a frame hears. */
export function frameGeometry({ convolutions }: Pick<Wav2Vec2Checkpoint, 'convolutions'>) {
  let samplesPerFrame = 1;
  let receptiveField = 1;
  for (const { kernel, stride } of convolutions) {
    receptiveField += (kernel - 1) * samplesPerFrame;
    samplesPerFrame *= stride;
  }
  return { samplesPerFrame, receptiveField };
}

/** What the weights take in memory when each number takes `bytesPerNumber`. */
export const weightBytesOf = (
  { tensors }: Pick<Wav2Vec2Checkpoint, 'tensors'>,
  bytesPerNumber: number,
): number =>
  [...tensors.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((size, side) => size * side, bytesPerNumber),
    0,
  );

const MARK = 'feature_projection.projection.weight';

function prefixOf(tensors: TensorTable): string {
  const name = [...tensors.keys()].find((key) => key.endsWith(MARK));
  if (name === undefined || !tensors.has('lm_head.weight')) {
    throw new SttError('MODEL_INVALID', 'Not a wav2vec2 checkpoint with a CTC head');
  }
  return name.slice(0, -MARK.length);
}

function parse<Schema extends z.ZodType>(schema: Schema, json: unknown): z.output<Schema> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new SttError('MODEL_INVALID', `Not a wav2vec2 that can be run (see ${fields})`);
}

/** @throws {SttError} MODEL_NOT_FOUND, MODEL_INVALID. */
export async function readModelJson(folder: string, name: string): Promise<unknown> {
  const json = await readOptionalJson(folder, name);
  if (json === undefined) throw new SttError('MODEL_NOT_FOUND', `The model folder has no ${name}`);
  return json;
}

/** Undefined where there is no such file. @throws {SttError} MODEL_INVALID. */
export async function readOptionalJson(folder: string, name: string): Promise<unknown> {
  const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SttError('MODEL_INVALID', `${name} of the model is not JSON`, { cause });
  }
}
