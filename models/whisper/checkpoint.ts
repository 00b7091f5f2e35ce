import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import { readTensorTable, type TensorTable } from '../graph/safetensors.ts';
import { type AlignmentHead, alignmentHeadsOf } from './alignment-heads.ts';
import { type SpecialTokens, specialTokensOf } from './special-tokens.ts';

const Config = z.object({
  model_type: z.literal('whisper'),
  activation_function: z.literal('gelu').default('gelu'),
  d_model: z.int().positive(),
  encoder_layers: z.int().positive(),
  decoder_layers: z.int().positive(),
  encoder_attention_heads: z.int().positive(),
  decoder_attention_heads: z.int().positive(),
  vocab_size: z.int().min(51_864),
  num_mel_bins: z.int().positive(),
  max_source_positions: z.literal(1500).default(1500),
  max_target_positions: z.int().positive().default(448),
  scale_embedding: z.literal(false).default(false),
});

const GenerationConfig = z.object({
  suppress_tokens: z.array(z.int()).nullish(),
  begin_suppress_tokens: z.array(z.int()).nullish(),
  max_initial_timestamp_index: z.int().nullish(),
  alignment_heads: z.array(z.array(z.int())).nullish(),
});

/** A Whisper checkpoint in Hugging Face layout: what the graph compiler needs to know of it. */
export interface WhisperCheckpoint {
  readonly tensors: TensorTable;
  readonly dModel: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly encoderHeads: number;
  readonly decoderHeads: number;
  readonly melBins: number;
  readonly vocabularySize: number;
  /** Positions of the encoder's output for 30 s; two mel frames each. */
  readonly audioPositions: number;
  readonly maxTokens: number;
  readonly tokens: SpecialTokens;
  /** Never picked. */
  readonly suppressTokens: readonly number[];
  /** Never picked as the first token. */
  readonly beginSuppressTokens: readonly number[];
  /** Latest first timestamp, in units of 20 ms. */
  readonly maxInitialTimestamp: number;
  /** Cross-attention heads that follow the audio in time, by layer. */
  readonly alignmentHeads: readonly AlignmentHead[];
}

/** Space: a transcript never starts with it (openai-whisper, SuppressBlank). */
const BLANK_TOKEN = 220;
/** One second, openai-whisper's default; some older copies of generation_config.json say 1. */
const DEFAULT_MAX_INITIAL_TIMESTAMP = 50;

/**
 * Reads the folder of a Hugging Face Whisper. Missing or truncated `generation_config.json`
 * fields, common in fine-tunes, get OpenAI's values.
 * @throws {SttError} MODEL_NOT_FOUND, MODEL_INVALID.
 */
export async function readWhisperCheckpoint(folder: string): Promise<WhisperCheckpoint> {
  const config = parse(Config, await readRequiredJson(folder, 'config.json'));
  const generation = parse(
    GenerationConfig,
    (await readJson(folder, 'generation_config.json')) ?? {},
  );
  const tokens = specialTokensOf(config.vocab_size);
  return {
    tensors: await readTensorTable(folder),
    dModel: config.d_model,
    encoderLayers: config.encoder_layers,
    decoderLayers: config.decoder_layers,
    encoderHeads: config.encoder_attention_heads,
    decoderHeads: config.decoder_attention_heads,
    melBins: config.num_mel_bins,
    vocabularySize: config.vocab_size,
    audioPositions: config.max_source_positions,
    maxTokens: config.max_target_positions,
    tokens,
    suppressTokens: [
      ...new Set([...(generation.suppress_tokens ?? []), ...alwaysSuppressed(tokens)]),
    ],
    beginSuppressTokens: generation.begin_suppress_tokens ?? [BLANK_TOKEN, tokens.endOfText],
    maxInitialTimestamp: Math.max(
      DEFAULT_MAX_INITIAL_TIMESTAMP,
      generation.max_initial_timestamp_index ?? 0,
    ),
    alignmentHeads: alignmentHeadsOf(generation.alignment_heads, {
      decoderLayers: config.decoder_layers,
      decoderHeads: config.decoder_attention_heads,
      vocabularySize: config.vocab_size,
    }),
  };
}

/** Control tokens that openai-whisper suppresses whatever the list says. */
function alwaysSuppressed(tokens: SpecialTokens): number[] {
  return [
    tokens.startOfTranscript,
    tokens.translate,
    tokens.transcribe,
    tokens.transcribe + 1, // <|startoflm|>
    tokens.startOfPrevious,
    tokens.noSpeech,
    tokens.noTimestamps,
  ];
}

function parse<Schema extends z.ZodType>(schema: Schema, json: unknown): z.output<Schema> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new SttError('MODEL_INVALID', `Not a Whisper checkpoint that can be run (see ${fields})`);
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
