import { jamoOf } from './korean/hangul.ts';
import { COUNTER_TAILS } from './korean/number-words.ts';
import { merged, type Piece, splitPunctuation } from './pieces.ts';

/** Letters that may differ, as a share of the keyword's; a syllable of three with one wrong vowel. */
const MAX_DISTANCE = 0.2;
/** Shorter words are too alike to be corrected. */
const MIN_LETTERS = 5;

interface Keyword {
  readonly text: string;
  readonly letters: string;
  /** Words that it is written as. */
  readonly wordCount: number;
}

/**
 * Words that are nearly a keyword become it: by Levenshtein distance over letters, which for Korean
 * are jamo. A particle behind the word stays. Text that is a keyword already is not touched.
 */
export function correctKeywords(pieces: readonly Piece[], keywords: readonly string[]): Piece[] {
  const wanted = keywords
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map(
      (text): Keyword => ({ text, letters: lettersOf(text), wordCount: text.split(/\s+/).length }),
    )
    .filter(({ letters }) => letters.length >= MIN_LETTERS);
  if (wanted.length === 0) return [...pieces];
  const result: Piece[] = [];
  for (let at = 0; at < pieces.length; ) {
    const match = bestMatch(pieces, at, wanted);
    result.push(match ? merged(pieces.slice(at, at + match.count), match.text) : pieces[at]!);
    at += match?.count ?? 1;
  }
  return result;
}

interface Match {
  readonly count: number;
  readonly text: string;
  readonly distance: number;
}

/** The nearest keyword; a keyword may be heard as one word more or less than it has. */
function bestMatch(
  pieces: readonly Piece[],
  at: number,
  keywords: readonly Keyword[],
): Match | undefined {
  let best: Match | undefined;
  for (const keyword of keywords) {
    for (let count = Math.max(1, keyword.wordCount - 1); count <= keyword.wordCount + 1; count++) {
      if (at + count > pieces.length) break;
      const match = matchOf(pieces.slice(at, at + count), keyword);
      if (match && (!best || match.distance < best.distance)) best = match;
    }
  }
  return best;
}

function matchOf(phrase: readonly Piece[], keyword: Keyword): Match | undefined {
  if (phrase.slice(0, -1).some(({ text }) => splitPunctuation(text).mark !== '')) return undefined;
  const joined = phrase.map(({ text }, index) => (index > 0 ? ` ${text}` : text)).join('');
  const { core, mark } = splitPunctuation(joined);
  const candidates = COUNTER_TAILS.filter(
    (tail) => core.endsWith(tail) && tail.length < core.length,
  );
  let best: Match | undefined;
  for (const tail of candidates) {
    const heard = lettersOf(core.slice(0, core.length - tail.length));
    const limit = Math.floor(keyword.letters.length * MAX_DISTANCE);
    const distance = editDistance(heard, keyword.letters, limit);
    if (distance > limit || (best && best.distance <= distance)) continue;
    best = { count: phrase.length, text: keyword.text + tail + mark, distance };
  }
  return best;
}

const lettersOf = (text: string): string => jamoOf(text).replace(/[^\p{L}\p{N}]/gu, '');

/** Levenshtein, or anything above `limit` as soon as it is certain. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[column]! + 1, current[column - 1]! + 1));
    }
    if (Math.min(...current) > limit) return limit + 1;
    previous = current;
  }
  return previous[b.length]!;
}
