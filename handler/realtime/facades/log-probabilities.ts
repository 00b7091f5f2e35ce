import { rounded } from '../../wire-segment.ts';

/** OpenAI's shape; what it calls a token is a word here, with the space before it. */
export interface LogProbability {
  readonly token: string;
  readonly logprob: number;
  /** Of the token in UTF-8. */
  readonly bytes: readonly number[];
}

/** Keeps the logarithm finite. */
const LEAST_CONFIDENCE = 1e-9;

/** How sure each word of a text is; the tokens, joined, are the text. */
export function logProbabilitiesOf(
  text: string,
  words: readonly { readonly word: string; readonly confidence: number }[],
): LogProbability[] {
  let at = 0;
  return words.map(({ word, confidence }, index) => {
    const found = text.indexOf(word, at);
    const isLast = index === words.length - 1;
    const end = isLast ? text.length : Math.max(at, found) + (found < 0 ? 0 : word.length);
    const token = text.slice(at, end);
    at = end;
    const logprob = rounded(Math.log(Math.max(confidence, LEAST_CONFIDENCE)), 4);
    return { token, logprob, bytes: [...Buffer.from(token)] };
  });
}
