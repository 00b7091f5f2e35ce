import type { Recognition, RecognizedToken, TokenAttention } from './contracts.ts';

/** A recognition up to a token: what stands behind it was not said. */
export function cutRecognition(recognition: Recognition, tokenCount: number): Recognition {
  const tokens = recognition.tokens.slice(0, tokenCount);
  const { attention } = recognition;
  const textCount = tokens.filter(({ kind }) => kind === 'text').length;
  return {
    ...recognition,
    tokens,
    ...(attention && { attention: attentionOf(attention, textCount) }),
  };
}

/** The row behind the last kept token stands for the end of text. */
const attentionOf = (attention: TokenAttention, textCount: number): TokenAttention => ({
  ...attention,
  weights: attention.weights.subarray(0, (textCount + 1) * attention.frames),
});

/** Whether two timestamps stand before a place: one segment has ended and the next begins. */
export const isBehindPair = (tokens: readonly RecognizedToken[], place: number): boolean =>
  tokens[place - 1]?.kind === 'timestamp' && tokens[place - 2]?.kind === 'timestamp';
