import type { SampleRange } from '../../audio/time.ts';
import { comparable } from './comparable-text.ts';

interface PlacedText {
  readonly text: string;
  readonly range: SampleRange;
}

/** Final words that are looked for in a new window: the boundary is near the last of them. */
const MAX_ANCHORS = 8;

/**
 * The words of a window behind those that are final already. Final words are found again as a
 * sequence: of all ways to pair them with words of the window, in order and one to one, by text and
 * within `sameWordSamples`, the one with the most pairs and then the nearest times. So a final "네"
 * takes one "네" of the window, and another one behind it is new. Behind the last pair, what starts
 * before the final words end is one of them, heard otherwise.
 */
export function withoutOldWords<Word extends PlacedText>(
  words: readonly Word[],
  before: { readonly finalEnd: number; readonly finalWords: readonly PlacedText[] },
  {
    slackSamples,
    sameWordSamples,
  }: { readonly slackSamples: number; readonly sameWordSamples: number },
): readonly Word[] {
  const { finalEnd, finalWords } = before;
  const anchors = finalWords.slice(-MAX_ANCHORS);
  const earliest = (anchors[0]?.range.start ?? finalEnd) - sameWordSamples;
  const near = words.filter(({ range }) => range.start > earliest);
  const behindPairs = near.slice(lastPaired(anchors, near, sameWordSamples) + 1);
  return behindPairs.filter(({ range }) => range.start > finalEnd - slackSamples);
}

interface Pairing {
  readonly pairs: number;
  readonly distance: number;
  /** Index of the last word that has a partner, or −1. */
  readonly last: number;
}

const NONE: Pairing = { pairs: 0, distance: 0, last: -1 };

/** Index in `words` of the last word that the best pairing gives a partner, or −1. */
function lastPaired(
  anchors: readonly PlacedText[],
  words: readonly PlacedText[],
  maxDistance: number,
): number {
  const texts = words.map(({ text }) => comparable(text));
  // Best pairing of the anchors so far with the first n words, for each n.
  let before: Pairing[] = Array.from({ length: words.length + 1 }, () => NONE);
  for (const anchor of anchors) {
    const text = comparable(anchor.text);
    const row: Pairing[] = [NONE];
    for (const [index, word] of words.entries()) {
      const distance = Math.abs(word.range.start - anchor.range.start);
      const isPair = texts[index] === text && distance < maxDistance;
      const without = better(before[index + 1]!, row[index]!);
      row.push(isPair ? better(withPair(before[index]!, distance, index), without) : without);
    }
    before = row;
  }
  return before[words.length]!.last;
}

const withPair = ({ pairs, distance }: Pairing, more: number, last: number): Pairing => ({
  pairs: pairs + 1,
  distance: distance + more,
  last,
});

const better = (a: Pairing, b: Pairing): Pairing =>
  a.pairs > b.pairs || (a.pairs === b.pairs && a.distance <= b.distance) ? a : b;
