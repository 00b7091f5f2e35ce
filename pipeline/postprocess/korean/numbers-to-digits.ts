import { merged, type Piece, splitPunctuation } from '../pieces.ts';
import { acceptedNumber, writtenNumber } from './accepted-number.ts';
import { bareNumber } from './bare-number.ts';
import { type CountedNumber, countedNumber, startsNumeral } from './counted-number.ts';
import { dictatedDigits } from './dictated-digits.ts';
import {
  countedRow,
  dayOfHistory,
  fractionWord,
  numberedPlace,
  scoreWord,
} from './number-compounds.ts';
import { isVague } from './number-homographs.ts';
import {
  fraction,
  ordinal,
  type PhraseRule,
  quarter,
  type Replacement,
  rangeStart,
  score,
} from './number-phrases.ts';
import { labelled, pointNumber } from './point-numbers.ts';
import { speltLetters } from './spelt-letters.ts';
import { emergencyNumber } from './telephone-numbers.ts';
import { writeCounted } from './write-counted.ts';

/**
 * Spoken numbers as digits where they are numbers beyond doubt: before a counter that takes this
 * kind of numeral, as telephone numbers, fractions, scores, or of several units. 이 일 (this matter),
 * 한 번 (once) and the like stay words.
 */
export function koreanNumbersToDigits(original: readonly Piece[]): Piece[] {
  const pieces = original.map((piece) => ({ ...piece, text: piece.text.replace(OPENING, '') }));
  const opening = (at: number): string => OPENING.exec(original[at]!.text)?.[0] ?? '';
  const result: Piece[] = [];
  let previous: CountedNumber | undefined;
  for (let at = 0; at < pieces.length; ) {
    const left = vagueRun(pieces, at);
    const counted =
      left > 0 ? undefined : acceptedNumber(pieces, at, previous ?? writtenNumber(pieces[at - 1]));
    const found = left > 0 ? undefined : replacementAt(pieces, at, counted);
    if (!found || isOpenedWithin(original, at, found)) {
      result.push(...original.slice(at, at + Math.max(1, left)));
      at += Math.max(1, left);
      previous = undefined;
      continue;
    }
    for (const { count, text } of found) {
      result.push(merged(original.slice(at, at + count), opening(at) + text));
      at += count;
    }
    previous = counted;
  }
  return result;
}

const OPENING = /^["'“‘([{《〈「『<]+/u;

/** 삼 '사 원: a quotation begins between the words of a number. */
const isOpenedWithin = (pieces: readonly Piece[], at: number, found: Replacement): boolean =>
  found.some(({ count }, index) => {
    const start = at + found.slice(0, index).reduce((sum, part) => sum + part.count, 0);
    return pieces.slice(start + 1, start + count).some(({ text }) => OPENING.test(text));
  });

/** Pieces to be left as they are: 몇 십만 원, and 이 백만 원, which may be this million or two. */
function vagueRun(pieces: readonly Piece[], at: number): number {
  const { core, mark } = splitPunctuation(pieces[at]!.text);
  if (mark !== '') return 0;
  const isUnit = (index: number): boolean => /^[십백천만억조]/u.test(pieces[index]?.text ?? '');
  if (core === '이' && isUnit(at + 1)) return 1 + (countedNumber(pieces, at + 1)?.count ?? 1);
  if (!isVague(core)) return 0;
  let count = 1;
  while (isUnit(at + count)) {
    count += 1;
    if (!/^[십백천만억조]+여?$/u.test(pieces[at + count - 1]!.text)) break;
  }
  return count;
}

const PHRASE_RULES: readonly PhraseRule[] = [
  dictatedDigits,
  emergencyNumber,
  fraction,
  score,
  ordinal,
  quarter,
  dayOfHistory,
  countedRow,
  fractionWord,
  scoreWord,
  labelled,
  pointNumber,
];

function replacementAt(
  pieces: readonly Piece[],
  at: number,
  counted: CountedNumber | undefined,
): Replacement | undefined {
  const piece = pieces[at]!;
  const named = speltLetters(pieces, at) ?? numberedPlace(pieces, at);
  if (named || !startsNumeral(piece)) return named;
  for (const rule of PHRASE_RULES) {
    const found = rule(pieces, at);
    if (found) return found;
  }
  if (counted) return [{ count: counted.count, text: writeCounted(counted, piece.text === '만') }];
  const range = rangeStart(piece.text);
  if (range !== undefined && at + 1 < pieces.length && acceptedNumber(pieces, at + 1, undefined)) {
    return [{ count: 1, text: range }];
  }
  return countedNumber(pieces, at) ? undefined : bareNumber(pieces, at);
}
