import { merged, type Piece, splitPunctuation } from '../pieces.ts';
import { acceptedNumber, writtenNumber } from './accepted-number.ts';
import { bareNumber } from './bare-number.ts';
import { type CountedNumber, countedNumber, startsNumeral } from './counted-number.ts';
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
import { emergencyNumber, telephoneNumber } from './telephone-numbers.ts';
import { writeCounted } from './write-counted.ts';

/**
 * Spoken numbers as digits where they are numbers beyond doubt: before a counter that takes this
 * kind of numeral, as telephone numbers, fractions, scores, or of several units. 이 일 (this matter),
 * 한 번 (once) and the like stay words.
 */
export function koreanNumbersToDigits(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  let previous: CountedNumber | undefined;
  for (let at = 0; at < pieces.length; ) {
    const left = vagueRun(pieces, at);
    const counted =
      left > 0 ? undefined : acceptedNumber(pieces, at, previous ?? writtenNumber(pieces[at - 1]));
    const found = left > 0 ? undefined : replacementAt(pieces, at, counted);
    if (!found) {
      result.push(...pieces.slice(at, at + Math.max(1, left)));
      at += Math.max(1, left);
      previous = undefined;
      continue;
    }
    for (const { count, text } of found) {
      result.push(merged(pieces.slice(at, at + count), text));
      at += count;
    }
    previous = counted;
  }
  return result;
}

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
  telephoneNumber,
  emergencyNumber,
  fraction,
  score,
  ordinal,
  quarter,
  labelled,
  pointNumber,
];

function replacementAt(
  pieces: readonly Piece[],
  at: number,
  counted: CountedNumber | undefined,
): Replacement | undefined {
  const piece = pieces[at]!;
  if (!startsNumeral(piece)) return undefined;
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
