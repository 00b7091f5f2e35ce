import type { Segment } from '../contracts.ts';
import { englishNumbersToDigits } from './english-numbers.ts';
import { removeFillers } from './fillers.ts';
import { correctKeywords } from './keywords.ts';
import { koreanDigitsToWordsIn } from './korean/digits-to-words.ts';
import { koreanNumbersToDigits } from './korean/numbers-to-digits.ts';
import { attachParticles } from './korean/particles.ts';
import { type Piece, toPieces, withPieces } from './pieces.ts';
import { collapseRepeats } from './repeats.ts';
import { punctuateKorean, splitSentences } from './sentences.ts';
import { repairSpacing } from './spacing.ts';

export interface PostprocessOptions {
  /** Marks at their words; Korean particles at their nouns; composed Unicode. */
  readonly repairSpacing: boolean;
  /** A segment for each sentence, where words have times. */
  readonly splitSentences: boolean;
  /** Numbers as digits or, in Korean, as words; `keep` leaves them as recognised. */
  readonly numbers: 'keep' | 'digits' | 'words';
  readonly removeFillers: boolean;
  readonly collapseRepeats: boolean;
  /** Full stops and question marks behind Korean endings that have none. */
  readonly punctuate: boolean;
  /** Terms that words almost like them become. */
  readonly keywords: readonly string[];
}

/** Repairs are on; what changes the wording is off. */
export const DEFAULT_POSTPROCESS_OPTIONS: PostprocessOptions = {
  repairSpacing: true,
  splitSentences: true,
  numbers: 'keep',
  removeFillers: false,
  collapseRepeats: false,
  punctuate: false,
  keywords: [],
};

/**
 * The segments with their text repaired and, as far as asked for, rewritten. A word that is rewritten
 * keeps the time of what it stands for; a segment of which nothing is left is dropped. Segments
 * stay in order and within their old ranges.
 */
export function postprocess(
  segments: readonly Segment[],
  language: string,
  options: PostprocessOptions,
): Segment[] {
  return segments.flatMap((segment) => {
    const before = toPieces(segment);
    const after = rewrite(before, language, options);
    if (after.length === 0) return [];
    const rewritten = isSame(before, after) ? segment : withPieces(segment, after);
    return options.splitSentences ? splitSentences(rewritten, language) : [rewritten];
  });
}

function rewrite(pieces: Piece[], language: string, options: PostprocessOptions): Piece[] {
  const isKorean = language === 'ko';
  let result = pieces;
  if (options.repairSpacing) result = repairSpacing(result);
  if (options.repairSpacing && isKorean) result = attachParticles(result);
  if (options.collapseRepeats) result = collapseRepeats(result);
  if (options.removeFillers) result = removeFillers(result, language);
  if (options.punctuate && isKorean) result = punctuateKorean(result);
  result = correctKeywords(result, options.keywords);
  return withNumbers(result, language, options.numbers);
}

function withNumbers(
  pieces: Piece[],
  language: string,
  numbers: PostprocessOptions['numbers'],
): Piece[] {
  if (numbers === 'digits' && language === 'ko') return koreanNumbersToDigits(pieces);
  if (numbers === 'digits' && language === 'en') return englishNumbersToDigits(pieces);
  return numbers === 'words' && language === 'ko' ? koreanDigitsToWordsIn(pieces) : pieces;
}

const isSame = (before: readonly Piece[], after: readonly Piece[]): boolean =>
  before.length === after.length && before.every(({ text }, index) => text === after[index]!.text);
