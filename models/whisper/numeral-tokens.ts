import type { WhisperTokenizer } from './tokenizer.ts';

/** Digits and what stands beside them; WhisperX's `suppress_numerals` has the ASCII ones. */
const NUMERAL = /[\p{Nd}%$£€¥₩]/u;

/** Ids of all text tokens in which a digit or a symbol of numbers stands. */
export const numeralTokens = (tokenizer: WhisperTokenizer, endOfText: number): number[] =>
  Array.from({ length: endOfText }, (_, id) => id).filter((id) =>
    NUMERAL.test(tokenizer.decode([id])),
  );
