import type { SampleRange } from '../../audio/time.ts';
import type { Segment, Word } from '../contracts.ts';

/** A word with its punctuation, as post-processing sees it: without spaces. */
export interface Piece {
  readonly text: string;
  /** Whether a space stands before it; false within Japanese and Chinese text. */
  readonly spaceBefore: boolean;
  /** The recognised words that it stands for; empty where the segment has no words. */
  readonly words: readonly Word[];
}

/** A segment as pieces: its words where they are its text, else what spaces separate. */
export const toPieces = (segment: Segment): Piece[] =>
  wordPieces(segment) ??
  segment.text
    .split(/\s+/)
    .filter((text) => text !== '')
    .map((text) => ({ text, spaceBefore: true, words: [] }));

function wordPieces({ text, words }: Segment): Piece[] | undefined {
  const pieces: Piece[] = [];
  let at = 0;
  for (const word of words) {
    const wanted = word.text.trim();
    const found = text.indexOf(wanted, at);
    if (found < 0 || text.slice(at, found).trim() !== '') return undefined;
    pieces.push({ text: wanted, spaceBefore: found > at || pieces.length === 0, words: [word] });
    at = found + wanted.length;
  }
  return pieces.length > 0 && text.slice(at).trim() === '' ? pieces : undefined;
}

/** The segment with the text of `pieces`, and with a word for each where it had words. */
export function withPieces(segment: Segment, pieces: readonly Piece[]): Segment {
  const words = pieces.flatMap((piece, index) => toWord(piece, index === 0));
  return { ...segment, text: textOf(pieces), words };
}

export const textOf = (pieces: readonly Piece[]): string =>
  pieces
    .map(({ text, spaceBefore }) => (spaceBefore ? ` ${text}` : text))
    .join('')
    .trim();

function toWord({ text, spaceBefore, words }: Piece, isFirst: boolean): Word[] {
  const [first] = words;
  if (!first) return [];
  const confidence = words.reduce((sum, word) => sum + word.confidence, 0) / words.length;
  const spaced = spaceBefore && !isFirst ? ` ${text}` : text;
  return [{ ...first, text: spaced, range: spanOf(words), confidence }];
}

const spanOf = (words: readonly Word[]): SampleRange => ({
  start: words[0]!.range.start,
  end: words.at(-1)!.range.end,
});

/** One piece in the place of several neighbours. */
export const merged = (pieces: readonly Piece[], text: string): Piece => ({
  text,
  spaceBefore: pieces[0]!.spaceBefore,
  words: pieces.flatMap(({ words }) => words),
});

/** Samples between two pieces; undefined where they have no times. */
export function pauseBetween(before: Piece | undefined, after: Piece | undefined) {
  const end = before?.words.at(-1)?.range.end;
  const start = after?.words[0]?.range.start;
  return end === undefined || start === undefined ? undefined : Math.max(0, start - end);
}

/** Looked for from its first mark only: without the lookbehind a run that ends elsewhere takes its square. */
const MARKS_AT_END = /(?<![.,!?;:…。、，！？~"'”’)\]」』])[.,!?;:…。、，！？~"'”’)\]」』]+$/u;

/** Text and the closing punctuation behind it. */
export function splitPunctuation(text: string): { readonly core: string; readonly mark: string } {
  const core = text.replace(MARKS_AT_END, '');
  return { core, mark: text.slice(core.length) };
}
