import type { Recognition, RecognizedToken } from './contracts.ts';
import { cutRecognition, isBehindPair } from './cut-recognition.ts';

/** A cycle is a loop when it is said again at least twice, and for so many tokens. */
const MIN_REPEATS = 2;
const MIN_REPEATED_TOKENS = 6;

/**
 * A recognition without the loop that its text ends in: what repeats stays once. For texts that
 * are known to loop; the same object when no cycle is found. Timestamps do not count.
 */
export function withoutLoop(recognition: Recognition): Recognition {
  const ids = recognition.tokens.flatMap((token) => (token.kind === 'text' ? token.id : []));
  const repeated = repeatedAtEnd(ids);
  if (repeated === 0) return recognition;
  return cutRecognition(recognition, placeBehind(recognition.tokens, ids.length - repeated));
}

/** Tokens at the end that say again what is before them; the shortest cycle counts. */
function repeatedAtEnd(ids: readonly number[]): number {
  for (let period = 1; period * (MIN_REPEATS + 1) <= ids.length; period++) {
    let run = 0;
    while (run < ids.length - period && ids.at(-1 - run) === ids.at(-1 - run - period)) run++;
    if (run >= Math.max(MIN_REPEATS * period, MIN_REPEATED_TOKENS)) return run;
  }
  return 0;
}

/** Behind a number of text tokens and a timestamp that ends them. */
function placeBehind(tokens: readonly RecognizedToken[], textCount: number): number {
  let seen = 0;
  const next = tokens.findIndex(({ kind }) => {
    if (kind === 'text') seen += 1;
    return kind === 'text' && seen > textCount;
  });
  return isBehindPair(tokens, next) ? next - 1 : next;
}
