import { COUNTERS } from './counters.ts';
import { BEFORE_DIGITS, IRREGULAR_MONTHS } from './number-words.ts';
import { parseNumeral } from './parse-numeral.ts';
import { readDigits, readNative, readSino } from './write-numeral.ts';

/** Where a number stands: the text before and behind it and its counter. */
export interface Surroundings {
  readonly before: string;
  readonly after: string;
}

/** From here on Sino-Korean numerals are usual before native counters: 삼십 명. */
const MOST_NATIVE = 29;
/** Where that is otherwise: clock hours are native up to twelve, ages always. */
const MOST_NATIVE_BEFORE: Readonly<Record<string, number>> = {
  시: 12,
  시간: 19,
  살: 99,
  달: 12,
  배: 10,
  번째: 99,
};

/** 3대 과제, 3팀장: nouns that make a rank or a name of the number. */
const AFTER_RANK =
  /^\s?(?:과제|요소|원칙|핵심|전략|주주|도시|시장|축|목표|강국|그룹|기업|사업|이슈|일간지|지표)/u;
/** 1번 안건, 3번 출구, 2번이 맞습니다: a number in a list. */
const AFTER_LIST_NUMBER = new RegExp(
  '^(?:은|는|이|을|으로|과|부터)(?!\\p{L})|^\\s(?:안건|출구|문항|문제|항목|질문|버튼|버스|선수|타자' +
    '|슬라이드|테이블|카메라|라인|국도|트랙|홀|그림)',
  'u',
);
const BEFORE_LIST_NUMBER = /(?:문제|항목|질문|안건|보기|슬라이드|그림|표|국도|등번호)\s$/u;

/** 영업 3팀, 개발2팀: the number is a name. */
const BEFORE_TEAM =
  /\p{Script=Hangul}$|(?:영업|개발|기획|마케팅|운영|지원|디자인|인사|재무|연구|사업)\s$/u;

/** A whole number before a counter as it is said: 세 before 시, 십삼 before 시, 유 before 월. */
export function readBefore(counter: string, value: number, around: Surroundings): string {
  if (counter === '월') {
    const word = Object.keys(IRREGULAR_MONTHS).find((month) => IRREGULAR_MONTHS[month] === value);
    if (word !== undefined) return word.slice(0, -1);
  }
  if (counter === '번째' && value === 1) return '첫';
  // 백한 번째: hundreds are Sino-Korean before native tens and ones.
  if (counter === '번째' && value > 99 && value % 100 > 0) {
    return readSino(value - (value % 100)) + readNative(value % 100);
  }
  if (!isNative(counter, value, around)) return readSino(value);
  return readNative(value) ?? readSino(value);
}

function isNative(counter: string, value: number, around: Surroundings): boolean {
  if (COUNTERS.get(counter)?.reads !== 'native' || around.before.endsWith('제')) return false;
  if (value > (MOST_NATIVE_BEFORE[counter] ?? MOST_NATIVE)) return false;
  if (counter === '대') return value % 10 !== 0 && !AFTER_RANK.test(around.after);
  if (counter === '번') return !isListNumber(value, around);
  return counter !== '팀' || !BEFORE_TEAM.test(around.before);
}

const isListNumber = (value: number, { before, after }: Surroundings): boolean =>
  value === 1 || AFTER_LIST_NUMBER.test(after) || BEFORE_LIST_NUMBER.test(before);

const LARGEST = 1e16;
/** 119 and its like are called, not counted. */
const EMERGENCY = /^(?:112|114|119)$/;
const TIME = /^(?:월|일|시|분|초)$/u;

/** 35,000, 3.14, 3만 5천 or 007 before a counter, or before none. */
export function readAmount(amount: string, counter: string, around: Surroundings): string {
  const plain = amount.replaceAll(/[, ]/g, '');
  if (/^\d+$/.test(plain)) return readWhole(plain, counter, around);
  const [, whole = '', fraction = '', unit = ''] = /^(\d+)\.(\d+)(\D*)$/.exec(plain) ?? [];
  if (whole !== '')
    return `${readWhole(whole, '', around)} 점 ${readDigits(fraction, '영')}${unit}`;
  const value = parseNumeral(plain)?.value ?? LARGEST;
  // No number as a whole, such as 3만 5만.
  if (value >= LARGEST) return plain.replace(/\d+/g, (digits) => readWhole(digits, '', around));
  return readSino(value);
}

function readWhole(digits: string, counter: string, around: Surroundings): string {
  const value = Number(digits);
  if (value >= LARGEST) return readDigits(digits, '영');
  if (counter === '' && EMERGENCY.test(digits)) return readDigits(digits, '공');
  const isDictated = counter === '' && digits.length > 2 && BEFORE_DIGITS.test(around.before);
  if (isDictated) return readDigits(digits, '공');
  const isNamed = digits.length > 1 && digits.startsWith('0') && !TIME.test(counter);
  return isNamed ? readDigits(digits, '공') : readBefore(counter, value, around);
}

/** 5~6명 → 다섯에서 여섯 명, 3~4시 → 세 시에서 네 시, 10~20% → 십에서 이십 퍼센트. */
export function readRange(
  [from, dash, to]: readonly [string, string, string],
  counter: string,
  around: Surroundings,
): string {
  const start = readAmount(from, counter, around);
  const end = readAmount(to, counter, around);
  const isDash = dash.trim() === '-';
  if (isDash && (counter === '' || counter === '번지')) return `${start} 다시 ${end}`;
  if (counter === '시') return `${start} 시에서 ${end}`;
  if (counter === '월') return `${start}${/^[유시]$/u.test(start) ? '' : ' '}월에서 ${end}`;
  return `${nounOf(start)}에서 ${end}`;
}

/** A native numeral without its counter: 셋, 스물. */
const nounOf = (numeral: string): string =>
  numeral.replace(/(?:한|두|세|네|스무)$/u, (end) => NOUNS[end] ?? end);

const NOUNS: Readonly<Record<string, string>> = {
  한: '하나',
  두: '둘',
  세: '셋',
  네: '넷',
  스무: '스물',
};
