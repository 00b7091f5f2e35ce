import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';

const TokenLists = z.object({
  suppress_tokens: z.array(z.int()).nullish(),
  begin_suppress_tokens: z.array(z.int()).nullish(),
});

const Config = TokenLists.extend({
  model_type: z.literal('whisper'),
  activation_function: z.literal('gelu').default('gelu'),
  d_model: z.int().positive(),
  encoder_layers: z.int().positive(),
  decoder_layers: z.int().positive(),
  encoder_attention_heads: z.int().positive(),
  decoder_attention_heads: z.int().positive(),
  encoder_ffn_dim: z.int().positive().optional(),
  decoder_ffn_dim: z.int().positive().optional(),
  vocab_size: z.int().min(51_864),
  num_mel_bins: z.int().positive(),
  max_source_positions: z.literal(1500).default(1500),
  max_target_positions: z.int().positive().default(448),
  scale_embedding: z.literal(false).default(false),
  tie_word_embeddings: z.boolean().default(true),
}).refine(
  (config) =>
    config.d_model % config.encoder_attention_heads === 0 &&
    config.d_model % config.decoder_attention_heads === 0,
  { path: ['d_model'] },
);

const GenerationConfig = TokenLists.extend({
  no_timestamps_token_id: z.int().nullish(),
  max_initial_timestamp_index: z.int().nullish(),
  alignment_heads: z.array(z.array(z.int())).nullish(),
});

export type CheckpointConfig = z.output<typeof Config>;
export type GenerationDefaults = z.output<typeof GenerationConfig>;

/**
 * The fields of a Whisper's `config.json` and `generation_config.json` that are used; the latter
 * may be absent.
 * @throws {SttError} MODEL_NOT_FOUND, MODEL_INVALID.
 */
export async function readCheckpointConfig(
  folder: string,
): Promise<{ readonly config: CheckpointConfig; readonly generation: GenerationDefaults }> {
  const config = parse(Config, await readRequiredJson(folder, 'config.json'));
  const generation = (await readJson(folder, 'generation_config.json')) ?? {};
  return { config, generation: parse(GenerationConfig, generation) };
}

function parse<Schema extends z.ZodType>(schema: Schema, json: unknown): z.output<Schema> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new SttError(
    'MODEL_INVALID',
    `Not a Whisper checkpoint that can be run (see ${fields} of its configuration)`,
  );
}

async function readRequiredJson(folder: string, name: string): Promise<unknown> {
  const json = await readJson(folder, name);
  if (json === undefined) throw new SttError('MODEL_NOT_FOUND', `The model folder has no ${name}`);
  return json;
}

async function readJson(folder: string, name: string): Promise<unknown> {
  const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SttError('MODEL_INVALID', `${name} of the model is not JSON`, { cause: error });
  }
}
