import type { NetworkShape } from '../models/whisper/tensor-shapes.ts';

/** A network's sizes as its `config.json` gives them. */
export interface WhisperShape extends NetworkShape {
  readonly heads: number;
}

const ENGLISH = 51_864;
const MULTILINGUAL = 51_865;
const LARGE_V3 = 51_866;

const whisper = (
  dModel: number,
  layers: readonly [encoder: number, decoder: number],
  vocabularySize: number,
): WhisperShape => ({
  dModel,
  encoderLayers: layers[0],
  decoderLayers: layers[1],
  heads: dModel / 64,
  encoderFeedForward: 4 * dModel,
  decoderFeedForward: 4 * dModel,
  melBins: vocabularySize === LARGE_V3 ? 128 : 80,
  vocabularySize,
  audioPositions: 1500,
  maxTokens: 448,
});

/** The networks that OpenAI and the distil-whisper project published. */
export const WHISPER_SHAPES: Readonly<Record<string, WhisperShape>> = {
  tiny: whisper(384, [4, 4], MULTILINGUAL),
  'tiny.en': whisper(384, [4, 4], ENGLISH),
  base: whisper(512, [6, 6], MULTILINGUAL),
  'base.en': whisper(512, [6, 6], ENGLISH),
  small: whisper(768, [12, 12], MULTILINGUAL),
  'small.en': whisper(768, [12, 12], ENGLISH),
  medium: whisper(1024, [24, 24], MULTILINGUAL),
  'medium.en': whisper(1024, [24, 24], ENGLISH),
  'large-v2': whisper(1280, [32, 32], MULTILINGUAL),
  'large-v3': whisper(1280, [32, 32], LARGE_V3),
  'large-v3-turbo': whisper(1280, [32, 4], LARGE_V3),
  turbo: whisper(1280, [32, 4], LARGE_V3),
  'distil-small.en': whisper(768, [12, 4], ENGLISH),
  'distil-medium.en': whisper(1024, [24, 2], ENGLISH),
  'distil-large-v2': whisper(1280, [32, 2], MULTILINGUAL),
  'distil-large-v3': whisper(1280, [32, 2], LARGE_V3),
};
