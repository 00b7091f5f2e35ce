import type { SampleRange } from '../../audio/time.ts';
import { comparable, maySplitBehind, textBehind } from './comparable-text.ts';

interface PlacedText {
  readonly text: string;
  readonly range: SampleRange;
}

interface OldText {
  /** Final words that the window does not say as they are written. */
  readonly left: readonly PlacedText[];
  /** What the window before said behind them. */
  readonly pendingWords: readonly PlacedText[];
  readonly sameWordSamples: number;
}

/**
 * The words behind a text that is final already, whatever spaces this window puts in it: "할 수" and
 * "할수", "can not" and "cannot" are the same. Where a word goes on behind that text, its rest is new
 * and joins it without a space: final "할", then "할수", leaves "수". Undefined where the words say
 * something else, or end inside of it.
 */
export function behindOldText<Word extends PlacedText>(
  words: readonly Word[],
  { left, pendingWords, sameWordSamples }: OldText,
): readonly Word[] | undefined {
  const [first, firstLeft] = [words[0], left[0]];
  if (first === undefined || firstLeft === undefined) return;
  if (Math.abs(first.range.start - firstLeft.range.start) >= sameWordSamples) return;
  const old = joined(left);
  if (old === '') return;
  let said = '';
  for (const [index, word] of words.entries()) {
    const before = said.length;
    said += comparable(word.text);
    if (said.length < old.length) {
      if (!old.startsWith(said)) return;
      continue;
    }
    if (!said.startsWith(old)) return;
    const behind = words.slice(index + 1);
    if (said.length === old.length) return behind;
    const rest = said.slice(old.length);
    if (!maySplitBehind(old) && !isStartOf(rest, joined(pendingWords))) return;
    const piece = { start: Math.min(left.at(-1)!.range.end, word.range.end), end: word.range.end };
    return [{ ...word, text: textBehind(word.text, old.length - before), range: piece }, ...behind];
  }
  return;
}

const joined = (words: readonly PlacedText[]): string =>
  words.map(({ text }) => comparable(text)).join('');

/** Either begins with the other. */
const isStartOf = (text: string, whole: string): boolean =>
  whole !== '' && (whole.startsWith(text) || text.startsWith(whole));
