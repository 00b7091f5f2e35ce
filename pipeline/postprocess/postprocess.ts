import type { Segment } from '../contracts.ts';
import { englishDigitsToWordsIn } from './english/digits-to-words.ts';
import { englishNumbersToDigits } from './english/numbers-to-digits.ts';
import { removeFillers } from './fillers.ts';
import { keywordCorrector } from './keywords.ts';
import { koreanDigitsToWordsIn } from './korean/digits-to-words.ts';
import { koreanNumbersToDigits } from './korean/numbers-to-digits.ts';
import { attachParticles } from './korean/particles.ts';
import { type Piece, toPieces, withPieces } from './pieces.ts';
import { collapseRepeats } from './repeats.ts';
import { punctuateKorean, splitSentences } from './sentences.ts';
import { repairSpacing } from './spacing.ts';

export interface PostprocessOptions {
  /** Marks at their words; composed Unicode. */
  readonly repairSpacing: boolean;
  /** Korean particles at their nouns. */
  readonly attachParticles: boolean;
  /** A segment for each sentence, where words have times. */
  readonly splitSentences: boolean;
  /** Numbers as digits or as words, in Korean and English; `keep` leaves them as recognised. */
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
  attachParticles: true,
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
  const correct = keywordCorrector(options.keywords);
  return segments.flatMap((segment) => {
    const before = toPieces(segment);
    const after = rewrite(before, language, options, correct);
    if (after.length === 0) return [];
    const rewritten = isSame(before, after) ? segment : withPieces(segment, after);
    return options.splitSentences ? splitSentences(rewritten, language) : [rewritten];
  });
}

function rewrite(
  pieces: Piece[],
  language: string,
  options: PostprocessOptions,
  correct: (pieces: Piece[]) => Piece[],
): Piece[] {
  const isKorean = language === 'ko';
  let result = pieces;
  if (options.repairSpacing) result = repairSpacing(result);
  // Before particles: what is left behind a hesitation may be the noun of one.
  if (options.removeFillers) result = removeFillers(result, language);
  if (options.attachParticles && isKorean) result = attachParticles(result);
  if (options.collapseRepeats) result = collapseRepeats(result);
  if (options.punctuate && isKorean) result = punctuateKorean(result);
  result = correct(result);
  return withNumbers(result, language, options.numbers);
}

type Rewrite = (pieces: readonly Piece[]) => Piece[];

/** In other languages numbers stay as they were recognised. */
const NUMBERS: Readonly<Record<string, Readonly<Record<'digits' | 'words', Rewrite>>>> = {
  ko: { digits: koreanNumbersToDigits, words: koreanDigitsToWordsIn },
  en: { digits: englishNumbersToDigits, words: englishDigitsToWordsIn },
};

/** No number is one word of more, but what a model repeats without end is; reading it takes its square. */
const MAX_NUMBER_CHARS = 200;

function withNumbers(
  pieces: Piece[],
  language: string,
  numbers: PostprocessOptions['numbers'],
): Piece[] {
  if (numbers === 'keep' || pieces.some(({ text }) => text.length > MAX_NUMBER_CHARS)) {
    return pieces;
  }
  return NUMBERS[language]?.[numbers](pieces) ?? pieces;
}

const isSame = (before: readonly Piece[], after: readonly Piece[]): boolean =>
  before.length === after.length && before.every(({ text }, index) => text === after[index]!.text);
