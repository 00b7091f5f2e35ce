import type { Recognition, RecognizedToken, TokenAttention } from './contracts.ts';

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
  const kept = ids.length - repeated;
  const { attention } = recognition;
  return {
    ...recognition,
    tokens: untilText(recognition.tokens, kept),
    ...(attention && { attention: attentionOf(attention, kept) }),
  };
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

/** The tokens up to a number of text tokens, with a timestamp that ends them. */
function untilText(tokens: readonly RecognizedToken[], textCount: number): RecognizedToken[] {
  let seen = 0;
  const cut = tokens.findIndex(({ kind }) => {
    if (kind === 'text') seen += 1;
    return kind === 'text' && seen > textCount;
  });
  const kept = tokens.slice(0, cut);
  const isPair = kept.at(-1)?.kind === 'timestamp' && kept.at(-2)?.kind === 'timestamp';
  return isPair ? kept.slice(0, -1) : kept;
}

/** The row behind the last kept token stands for the end of text. */
const attentionOf = (attention: TokenAttention, textCount: number): TokenAttention => ({
  ...attention,
  weights: attention.weights.subarray(0, (textCount + 1) * attention.frames),
});
