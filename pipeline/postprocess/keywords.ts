import { jamoOf } from './korean/hangul.ts';
import { ALL_JOSA, josaAfter, josaFor } from './korean/josa.ts';
import { merged, type Piece, splitPunctuation } from './pieces.ts';

/** Letters of a keyword for each one that may be wrong; with fewer, 저울 would become 서울. */
const LETTERS_PER_ERROR = 7;
/** Shorter words are too alike even where only their spaces or their case differ. */
const MIN_LETTERS = 5;

interface Keyword {
  readonly text: string;
  readonly letters: string;
  /** Words that it is written as. */
  readonly wordCount: number;
}

/**
 * Makes words that are nearly a keyword that keyword: by Levenshtein distance over letters, which for
 * Korean are jamo. A particle behind the word stays, in the form that the keyword asks for. A word that
 * goes on where the keyword ends, or ends before it, is another word: managers, 회의로.
 */
export function keywordCorrector(keywords: readonly string[]): (pieces: Piece[]) => Piece[] {
  const wanted = keywords
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map(
      (text): Keyword => ({ text, letters: lettersOf(text), wordCount: text.split(/\s+/).length }),
    )
    .filter(({ letters }) => letters.length >= MIN_LETTERS);
  return wanted.length === 0 ? (pieces) => pieces : (pieces) => corrected(pieces, wanted);
}

function corrected(pieces: readonly Piece[], wanted: readonly Keyword[]): Piece[] {
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
  const phrases = new Map<number, Phrase>();
  let best: Match | undefined;
  for (const keyword of keywords) {
    for (let count = Math.max(1, keyword.wordCount - 1); count <= keyword.wordCount + 1; count++) {
      if (at + count > pieces.length) break;
      const phrase = phrases.get(count) ?? phraseOf(pieces.slice(at, at + count));
      phrases.set(count, phrase);
      const match = matchOf(phrase, keyword);
      if (match && (!best || match.distance < best.distance)) best = match;
    }
  }
  return best;
}

interface Phrase {
  readonly count: number;
  readonly mark: string;
  /** What may be the keyword, and the particle behind it; none where a mark is inside. */
  readonly readings: readonly Reading[];
}

interface Reading {
  readonly stem: string;
  readonly letters: string;
  readonly tail: string;
}

function phraseOf(pieces: readonly Piece[]): Phrase {
  const joined = pieces.map(({ text }, index) => (index > 0 ? ` ${text}` : text)).join('');
  const { core, mark } = splitPunctuation(joined);
  const isBroken = pieces.slice(0, -1).some(({ text }) => splitPunctuation(text).mark !== '');
  const readings = isBroken
    ? []
    : ALL_JOSA.filter((tail) => core.endsWith(tail) && tail.length < core.length)
        .map((tail) => ({ stem: core.slice(0, core.length - tail.length), tail }))
        .filter(({ stem, tail }) => josaAfter(stem).has(tail))
        .map(({ stem, tail }) => ({ stem, tail, letters: lettersOf(stem) }));
  return { count: pieces.length, mark, readings };
}

function matchOf({ count, mark, readings }: Phrase, keyword: Keyword): Match | undefined {
  const limit = Math.floor(keyword.letters.length / LETTERS_PER_ERROR);
  let best: Match | undefined;
  for (const { letters, tail } of readings) {
    const distance = editDistance(letters, keyword.letters, limit);
    if (distance > limit || (best && best.distance <= distance)) continue;
    if (distance > 0 && isLongerOrShorter(letters, keyword.letters)) continue;
    const josa = distance > 0 ? josaFor(keyword.text, tail) : tail;
    best = { count, text: keyword.text + josa + mark, distance };
  }
  return best && !readings.some((reading) => isBeginning(reading, keyword)) ? best : undefined;
}

/** 회의 in 회의로, where 회의록 is wanted. */
const isBeginning = ({ stem, tail }: Reading, { text }: Keyword): boolean =>
  tail !== '' && stem.length > 1 && stem.length < text.length && text.startsWith(stem);

const isLongerOrShorter = (heard: string, wanted: string): boolean =>
  heard.startsWith(wanted) || wanted.startsWith(heard);

const lettersOf = (text: string): string => jamoOf(text).replace(/[^\p{L}\p{N}]/gu, '');

/** Levenshtein, or anything above `limit` as soon as it is certain. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA -= 1;
    endB -= 1;
  }
  const rest = Math.max(endA, endB) - start;
  // Of what is left, both ends differ.
  return rest <= 1 || limit < 2
    ? rest
    : distanceWithin(a.slice(start, endA), b.slice(start, endB), limit);
}

function distanceWithin(a: string, b: string, limit: number): number {
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
