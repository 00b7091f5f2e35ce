import { type Piece, splitPunctuation } from '../pieces.ts';
import { type CountedNumber, countedNumber, startsNumeral } from './counted-number.ts';
import { COUNTERS, startsWithCounter } from './counters.ts';
import { ALL_JOSA } from './josa.ts';
import { NATIVE_ONES, SINO_DIGITS } from './number-words.ts';

/**
 * Counters that come next after another: a number too short to be sure is one there (12시 2분, 2월 15일).
 */
const FOLLOWERS: Readonly<Record<string, string>> = {
  년: '월 개월 분기 학기',
  년도: '분기 학기',
  학년도: '학기',
  학년: '반 학기',
  월: '일',
  일: '시',
  시: '분',
  시간: '분',
  분: '초',
  개월: '일 주',
  주: '일',
  동: '호',
  박: '일',
  승: '무 패',
  무: '패',
};
const MOST_IN_ROW: Readonly<Record<string, number>> = { 일: 31, 분: 59, 초: 59, 반: 30, 개월: 11 };
/** What may be written together with its numeral there: 5월 삼일, 일박 이일. */
const ONE_WORD_IN_ROW = /^(?:월|일|박|동|학년|시간|개월|분)$/u;

/** A number with its counter that is one beyond doubt, by itself or by its neighbours. */
export function acceptedNumber(
  pieces: readonly Piece[],
  at: number,
  previous: Neighbour | undefined,
): CountedNumber | undefined {
  const found = startsNumeral(pieces[at]!) ? countedNumber(pieces, at) : undefined;
  if (!found || (previous === undefined && isApproximate(pieces[at - 1], found))) return undefined;
  if (isHalf(found, pieces, at + found.count)) return undefined;
  if (found.isSure || (previous && mayFollow(previous, found))) return found;
  const next =
    at + found.count < pieces.length ? countedNumber(pieces, at + found.count) : undefined;
  if (next && mayFollow(found, next) && isWhole(found)) return found;
  const isParallel =
    (next?.isSure && areParallel(found, next)) || (previous && areParallel(previous, found));
  return isParallel ? found : undefined;
}

/** 일위부터 사위까지, 십이월과 이월, 한시에서 세시: one of two of a kind makes sure of the other. */
const areParallel = (first: Neighbour, second: Neighbour): boolean =>
  first.counter === second.counter &&
  ((first.mark === '' && /^(?:부터|에서|과|와|이나|나|하고|이랑|랑)$/u.test(first.tail)) ||
    (first.mark === ',' && first.tail === ''));

/** 파이썬 삼 점 십이: a version, of which only the first half could be written. */
function isHalf({ counter, tail, mark }: CountedNumber, pieces: readonly Piece[], at: number) {
  if (counter !== '점' || tail !== '' || mark !== '' || at >= pieces.length) return false;
  const { core } = splitPunctuation(pieces[at]!.text);
  const end = splitPunctuation(pieces[at + 1]?.text ?? '').core;
  const isNumber = ALL_JOSA.some(
    (josa) =>
      core.endsWith(josa) &&
      /^[일이삼사오육칠팔구십백]+$/u.test(core.slice(0, core.length - josa.length)),
  );
  return isNumber && !startsWithCounter(end);
}

/** 12시, written already, as far as the number behind it asks. */
export function writtenNumber(piece: Piece | undefined): Neighbour | undefined {
  const counter = /^\d+(\D+)$/.exec(piece?.text ?? '')?.[1];
  return counter !== undefined && COUNTERS.has(counter)
    ? { counter, tail: '', mark: '' }
    : undefined;
}

type Neighbour = Pick<CountedNumber, 'counter' | 'tail' | 'mark'>;

/** Whether what the second counts comes next behind what the first does: 삼박 사일. */
export const countersFollow = (first: Neighbour, second: CountedNumber): boolean =>
  (FOLLOWERS[first.counter]?.split(' ').includes(second.counter) ?? false) &&
  second.numeral.value <= (MOST_IN_ROW[second.counter] ?? Infinity);

/** The number before is complete in itself, and this one counts what comes next. */
function mayFollow(before: Neighbour, found: CountedNumber): boolean {
  if (before.tail !== '' || before.mark !== '' || !countersFollow(before, found)) return false;
  // 열두 시 이 분이 오십니다: this person comes.
  if (found.words === '이' && found.counter === '분' && /^[이은을의과도]$/u.test(found.tail))
    return false;
  return found.isSure || isWhole(found);
}

/** Of one word only where that can be no other word: 삼월 일일에, but not 오월 일일 평균. */
function isWhole({ isOneWord, counter, words, tail, mark }: CountedNumber): boolean {
  if (!isOneWord) return true;
  if (words === '일' && counter === '일' && tail === '이') return false;
  // 이분 is this person, 구분 a distinction.
  if (/^[이구]$/u.test(words) && counter === '분') return false;
  const isDaily = words === '일' && counter === '일' && tail === '' && mark === '';
  return ONE_WORD_IN_ROW.test(counter) && !isDaily;
}

const NATIVE_APART: Readonly<Record<string, number>> = { ...NATIVE_ONES, 서: 3, 너: 4 };

/** 두 세 명 and 삼 사십 명: the second of two numbers that mean about so many. */
function isApproximate(before: Piece | undefined, { numeral }: CountedNumber): boolean {
  const { core, mark } = splitPunctuation(before?.text ?? '');
  if (core === '네' && mark !== '') return false;
  const digits = numeral.kind === 'native' ? NATIVE_APART : SINO_DIGITS;
  const value = digits[core];
  return value !== undefined && value > 0 && String(value + 1) === numeral.digits[0];
}
