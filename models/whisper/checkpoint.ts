import { readTensorTable, type TensorTable } from '../graph/safetensors.ts';
import { type AlignmentHead, alignmentHeadsOf } from './alignment-heads.ts';
import {
  type CheckpointConfig,
  type GenerationDefaults,
  readCheckpointConfig,
} from './checkpoint-config.ts';
import { checkpointTensors } from './checkpoint-tensors.ts';
import { NON_SPEECH_TOKENS } from './non-speech-tokens.ts';
import { type SpecialTokens, specialTokensOf } from './special-tokens.ts';
import type { NetworkShape } from './tensor-shapes.ts';

/** A Whisper checkpoint in Hugging Face layout: what the graph compiler needs to know of it. */
export interface WhisperCheckpoint {
  readonly tensors: TensorTable;
  readonly dModel: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly encoderHeads: number;
  readonly decoderHeads: number;
  readonly melBins: number;
  /** Without what some checkpoints pad their embeddings with. */
  readonly vocabularySize: number;
  /** Whether scores are made from the token embeddings. */
  readonly isOutputTied: boolean;
  /** Positions of the encoder's output for 30 s; two mel frames each. */
  readonly audioPositions: number;
  readonly maxTokens: number;
  readonly tokens: SpecialTokens;
  /** Never picked, whatever is asked. */
  readonly controlTokens: readonly number[];
  /** Not picked unless a job has a list of its own. */
  readonly suppressTokens: readonly number[];
  /** Never picked as the first token. */
  readonly beginSuppressTokens: readonly number[];
  /** Latest first timestamp, in units of 20 ms. */
  readonly maxInitialTimestamp: number;
  /** Cross-attention heads that follow the audio in time, by layer. */
  readonly alignmentHeads: readonly AlignmentHead[];
}

/** `<|0.00|>` to `<|30.00|>`. */
const TIMESTAMPS = 1501;
/** English, 99 languages, 100 languages. */
const PUBLISHED_VOCABULARIES = [51_864, 51_865, 51_866] as const;

/** Space: a transcript never starts with it (openai-whisper, SuppressBlank). */
const BLANK_TOKEN = 220;
/** One second, openai-whisper's default; some older copies of generation_config.json say 1. */
const DEFAULT_MAX_INITIAL_TIMESTAMP = 50;

/**
 * Reads the folder of a Hugging Face Whisper. What `generation_config.json` lacks, as it often does
 * in fine-tunes, is taken from `config.json`, as older ones have it, else from openai-whisper.
 * @throws {SttError} MODEL_NOT_FOUND, MODEL_INVALID.
 */
export async function readWhisperCheckpoint(folder: string): Promise<WhisperCheckpoint> {
  const { config, generation } = await readCheckpointConfig(folder);
  const tokens = specialTokensOf(publishedVocabulary(config.vocab_size, generation));
  const network = networkShape(config);
  return {
    tensors: checkpointTensors(await readTensorTable(folder), network, config.tie_word_embeddings),
    ...network,
    encoderHeads: config.encoder_attention_heads,
    decoderHeads: config.decoder_attention_heads,
    vocabularySize: tokens.timestampsStart + TIMESTAMPS,
    isOutputTied: config.tie_word_embeddings,
    tokens,
    controlTokens: controlTokens(tokens),
    suppressTokens: suppressedTokens(generation.suppress_tokens ?? config.suppress_tokens, tokens),
    beginSuppressTokens: generation.begin_suppress_tokens ??
      config.begin_suppress_tokens ?? [BLANK_TOKEN, tokens.endOfText],
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

const networkShape = (config: CheckpointConfig): NetworkShape => ({
  dModel: config.d_model,
  encoderLayers: config.encoder_layers,
  decoderLayers: config.decoder_layers,
  encoderFeedForward: config.encoder_ffn_dim ?? 4 * config.d_model,
  decoderFeedForward: config.decoder_ffn_dim ?? 4 * config.d_model,
  melBins: config.num_mel_bins,
  vocabularySize: config.vocab_size,
  audioPositions: config.max_source_positions,
  maxTokens: config.max_target_positions,
});

/**
 * Which of the three published vocabularies this is. Some checkpoints have rows beyond it, to make
 * the number even or for tokens of their own, which are never picked.
 */
function publishedVocabulary(size: number, generation: GenerationDefaults): number {
  const named = PUBLISHED_VOCABULARIES.find(
    (vocabulary) => specialTokensOf(vocabulary).noTimestamps === generation.no_timestamps_token_id,
  );
  if (named !== undefined && named <= size) return named;
  return Math.min(size, PUBLISHED_VOCABULARIES.at(-1)!);
}

/** In a list of tokens, as in openai-whisper's options: what stands for no speech. */
const NON_SPEECH = -1;

const suppressedTokens = (
  listed: readonly number[] | null | undefined,
  tokens: SpecialTokens,
): readonly number[] => {
  const nonSpeech = NON_SPEECH_TOKENS[tokens.isMultilingual ? 'multilingual' : 'english'];
  const ids = (listed ?? nonSpeech).flatMap((id) => (id === NON_SPEECH ? nonSpeech : id));
  return [...new Set(ids)].filter((id) => id >= 0 && id < tokens.timestampsStart);
};

/** What openai-whisper suppresses whatever the list says. */
function controlTokens(tokens: SpecialTokens): number[] {
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
