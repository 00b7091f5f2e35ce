import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { specialTokensOf } from '../models/whisper/special-tokens.ts';
import { fillerTokenizer } from './filler-tokenizer.ts';
import type { WhisperShape } from './whisper-shapes.ts';

interface CheckpointDescription {
  readonly shape: WhisperShape;
  readonly isUntied?: boolean;
}

/** Everything of a Whisper's folder but its weights, in Hugging Face layout. */
export async function describeCheckpoint(
  folder: string,
  options: CheckpointDescription,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { shape } = options;
  await writeJson(folder, 'config.json', configOf(options));
  await writeJson(folder, 'generation_config.json', generationConfigOf(shape));
  await writeJson(folder, 'tokenizer.json', fillerTokenizer(specialTokensOf(shape.vocabularySize)));
}

export const writeJson = (folder: string, name: string, content: object): Promise<void> =>
  writeFile(join(folder, name), `${JSON.stringify(content)}\n`);

const configOf = ({ shape, isUntied = false }: CheckpointDescription): object => ({
  architectures: ['WhisperForConditionalGeneration'],
  model_type: 'whisper',
  activation_function: 'gelu',
  d_model: shape.dModel,
  encoder_layers: shape.encoderLayers,
  decoder_layers: shape.decoderLayers,
  encoder_attention_heads: shape.heads,
  decoder_attention_heads: shape.heads,
  encoder_ffn_dim: shape.encoderFeedForward,
  decoder_ffn_dim: shape.decoderFeedForward,
  vocab_size: shape.vocabularySize,
  num_mel_bins: shape.melBins,
  max_source_positions: shape.audioPositions,
  max_target_positions: shape.maxTokens,
  scale_embedding: false,
  tie_word_embeddings: !isUntied,
  ...tokenIdsOf(shape),
});

const generationConfigOf = (shape: WhisperShape): object => ({
  ...tokenIdsOf(shape),
  max_initial_timestamp_index: 50,
  max_length: shape.maxTokens,
});

function tokenIdsOf({ vocabularySize }: WhisperShape): object {
  const { endOfText, startOfTranscript } = specialTokensOf(vocabularySize);
  return {
    bos_token_id: endOfText,
    eos_token_id: endOfText,
    pad_token_id: endOfText,
    decoder_start_token_id: startOfTranscript,
  };
}
