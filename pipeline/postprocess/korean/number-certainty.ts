import { isClearTogether } from './clear-together.ts';
import {
  AFTER_NOTHING,
  CONFIRMED_BEFORE,
  CONFIRMED_BEHIND,
  CONFIRMED_ENDING,
  MAY_COUNT,
  NOT_AFTER,
  NOT_BEFORE,
  NOT_BY_DIGIT,
  NOT_BY_UNIT,
  NOT_ENDING,
  NOT_ENDING_AFTER_ONE,
} from './number-homographs.ts';
import { isClearInPlace, isOtherWord } from './written-together.ts';

const isConfirmed = (
  [numeral, counter, tail]: readonly [string, string, string],
  { before, after }: Surroundings,
): boolean =>
  // 이번 달 이 일부터: this matter, mostly.
  numeral + counter !== '이일' &&
  (CONFIRMED_ENDING.some(
    ([counters, ending]) => ending.test(tail) && counters.split(' ').includes(counter),
  ) ||
    CONFIRMED_BEFORE.some(([word, counters]) => word.test(before) && counters.has(counter)) ||
    CONFIRMED_BEHIND.some(
      ([counters, word]) => word.test(after) && counters.split(' ').includes(counter),
    ));

export interface Surroundings {
  /** Words before and behind without their marks; empty where there are none. */
  readonly before: string;
  readonly after: string;
  readonly isSentenceStart: boolean;
}

/** Whether a numeral and a counter in words of their own are a number beyond doubt. */
export function isSureApart(
  [numeral, counter, tail]: readonly [string, string, string],
  surroundings: Surroundings,
): boolean {
  const { before, after, isSentenceStart } = surroundings;
  if (NOT_AFTER.some(([word, previous]) => word === counter && previous.test(before))) return false;
  if (NOT_BEFORE.some(([word, next]) => word === counter && next.test(after))) return false;
  if ((isShort(numeral) || counter === '개') && mayNotEnd(counter, tail)) return false;
  if (isConfirmed([numeral, counter, tail], surroundings) && (tail === '' || counter !== '차'))
    return true;
  if (numeral === '한' && counter === '시' && NOT_ENDING_AFTER_ONE.has(tail)) return false;
  if (numeral === '네' && isSentenceStart && !AFTER_NOTHING.has(counter)) return false;
  return mayCount(numeral, counter);
}

const isShort = (numeral: string): boolean => numeral.length === 1;

const mayNotEnd = (counter: string, tail: string): boolean =>
  [NOT_ENDING['any'], NOT_ENDING[counter]].some((tails) => tails?.has(tail));

function mayCount(numeral: string, counter: string): boolean {
  if (/^[일이삼사오육칠팔구]$/u.test(numeral) && NOT_BY_DIGIT.has(counter)) return false;
  if (/^[십백천]$/u.test(numeral) && NOT_BY_UNIT.has(counter)) return false;
  const rule = MAY_COUNT[numeral];
  if (rule === undefined) return true;
  return 'only' in rule ? rule.only.has(counter) : !rule.except.has(counter);
}

/** Whether a numeral and a counter in one word are a number beyond doubt. */
export function isSureTogether(
  [numeral, counter, tail]: readonly [string, string, string],
  { before, after }: Surroundings,
): boolean {
  const [word, place] = [numeral + counter, { tail, before, after }];
  if (isOtherWord(word, place)) return false;
  if (isClearInPlace(word, place)) return true;
  if (isShort(numeral)) {
    return isClearTogether(numeral, counter) && (counter === '등' || !mayNotEnd(counter, tail));
  }
  if (counter === '도' || !mayCount(numeral, counter)) return false;
  // 이십일 may be 21; what stands around it says that it is the twentieth.
  return counter !== '일' || !/[십백천만]$/u.test(numeral);
}
