import type { SampleRange } from '../../audio/time.ts';
import { comparable } from './comparable-text.ts';
import { behindOldText } from './word-pieces.ts';

interface PlacedText {
  readonly text: string;
  readonly range: SampleRange;
}

interface Said {
  readonly finalEnd: number;
  readonly finalWords: readonly PlacedText[];
  readonly pendingWords: readonly PlacedText[];
}

interface OldWordsOptions {
  readonly slackSamples: number;
  readonly sameWordSamples: number;
}

/** Final words that are looked for in a new window: the boundary is near the last of them. */
const MAX_ANCHORS = 8;

/**
 * The words of a window behind those that are final already. Final words are found again as a text,
 * spaced in whatever way, near where it was; where the window says some of them otherwise, as a
 * sequence: of all ways to pair them with words of the window, in order and one to one, by text and
 * within `sameWordSamples`, the one with the most pairs and then the nearest times. So a final "네"
 * takes one "네" of the window, and another one behind it is new. Behind the last pair,
 * what starts before the final words end is one of them, heard otherwise.
 */
export function withoutOldWords<Word extends PlacedText>(
  words: readonly Word[],
  { finalEnd, finalWords, pendingWords }: Said,
  { slackSamples, sameWordSamples }: OldWordsOptions,
): readonly Word[] {
  const nearOf = (anchors: readonly PlacedText[]): readonly Word[] => {
    const earliest = (anchors[0]?.range.start ?? finalEnd) - sameWordSamples;
    return words.filter(({ range }) => range.start > earliest);
  };
  const behind = (from: readonly Word[], left: readonly PlacedText[]) =>
    behindOldText(from, { left, pendingWords, sameWordSamples });
  const anchors = finalWords.slice(-MAX_ANCHORS);
  const near = nearOf(anchors);
  const texts = finalWords.length > MAX_ANCHORS ? [finalWords, anchors] : [anchors];
  for (const old of texts) {
    const candidates = nearOf(old);
    for (const index of byDistance(candidates, old[0])) {
      const fresh = behind(candidates.slice(index), old);
      if (fresh) return fresh;
    }
  }
  const { lastAnchor, lastWord } = bestPairing(anchors, near, sameWordSamples);
  const behindPairs = near.slice(lastWord + 1);
  const respaced = behind(behindPairs, anchors.slice(lastAnchor + 1));
  return respaced ?? behindPairs.filter(({ range }) => range.start > finalEnd - slackSamples);
}

/** Indices of words, the one that starts nearest to the anchor first. */
function byDistance(words: readonly PlacedText[], anchor: PlacedText | undefined): number[] {
  if (anchor === undefined) return [];
  const distanceOf = (index: number): number =>
    Math.abs(words[index]!.range.start - anchor.range.start);
  return [...words.keys()].sort((a, b) => distanceOf(a) - distanceOf(b));
}

interface Pairing {
  readonly pairs: number;
  readonly distance: number;
  /** Indices of the last pair, or −1. */
  readonly lastAnchor: number;
  readonly lastWord: number;
}

const NONE: Pairing = { pairs: 0, distance: 0, lastAnchor: -1, lastWord: -1 };

/** Of all pairings in order the one with the most pairs, then the nearest times. */
function bestPairing(
  anchors: readonly PlacedText[],
  words: readonly PlacedText[],
  maxDistance: number,
): Pairing {
  const texts = words.map(({ text }) => comparable(text));
  // Best pairing of the anchors so far with the first n words, for each n.
  let before: Pairing[] = Array.from({ length: words.length + 1 }, () => NONE);
  for (const [lastAnchor, anchor] of anchors.entries()) {
    const text = comparable(anchor.text);
    const row: Pairing[] = [NONE];
    for (const [lastWord, word] of words.entries()) {
      const distance = Math.abs(word.range.start - anchor.range.start);
      const isPair = texts[lastWord] === text && distance < maxDistance;
      const without = better(before[lastWord + 1]!, row[lastWord]!);
      const { pairs, distance: sum } = before[lastWord]!;
      const withPair = { pairs: pairs + 1, distance: sum + distance, lastAnchor, lastWord };
      row.push(isPair ? better(withPair, without) : without);
    }
    before = row;
  }
  return before[words.length]!;
}

const better = (a: Pairing, b: Pairing): Pairing =>
  a.pairs > b.pairs || (a.pairs === b.pairs && a.distance <= b.distance) ? a : b;
