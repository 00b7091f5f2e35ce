import { NATIVE_ONES, NATIVE_TENS, NATIVE_TWENTY } from './number-words.ts';

const DIGITS = ['영', '일', '이', '삼', '사', '오', '육', '칠', '팔', '구'];
const SMALL = ['', '십', '백', '천'];
const LARGE = ['', '만', '억', '조'];
const MAX_VALUE = 1e16;

/** A whole number from 0 below 10^16 as it is read in Sino-Korean: 35000 → 삼만 오천. */
export function readSino(value: number): string {
  if (!Number.isInteger(value) || value < 0 || value >= MAX_VALUE) {
    throw new RangeError('Expected a whole number from 0 below 10^16');
  }
  if (value === 0) return DIGITS[0]!;
  const groups: string[] = [];
  for (let rest = value, level = 0; rest > 0; rest = Math.floor(rest / 1e4), level++) {
    const group = rest % 1e4;
    if (group === 0) continue;
    // 만 is read without 일 where nothing stands before it, 일억 and 일조 are not.
    const isPlainTenThousand = level === 1 && group === 1 && rest === 1;
    groups.unshift(`${isPlainTenThousand ? '' : readGroup(group)}${LARGE[level]}`);
  }
  return groups.join(' ');
}

function readGroup(group: number): string {
  const digits = [...String(group)].map(Number);
  return digits
    .map((digit, index) => {
      const level = digits.length - 1 - index;
      if (digit === 0) return '';
      return `${digit === 1 && level > 0 ? '' : DIGITS[digit]}${SMALL[level]}`;
    })
    .join('');
}

/** 1–99 in the native form before a counter: 23 → 스물세; undefined outside. */
export function readNative(value: number): string | undefined {
  if (!Number.isInteger(value) || value < 1 || value > 99) return undefined;
  if (value === 20) return NATIVE_TWENTY;
  const ten = wordOf(NATIVE_TENS, value - (value % 10));
  return `${ten}${wordOf(NATIVE_ONES, value % 10)}`;
}

/** Digit by digit; 공 for zero, as telephone numbers are read, or 영. */
export const readDigits = (digits: string, zero: '공' | '영'): string =>
  [...digits].map((digit) => (digit === '0' ? zero : DIGITS[Number(digit)])).join('');

const wordOf = (words: Readonly<Record<string, number>>, value: number): string =>
  Object.keys(words).find((word) => words[word] === value) ?? '';

/**
 * Digits as Koreans write them (decision 18): commas by thousands, 35,000; units of ten thousand as
 * words where nothing is below them, 100만, and always from a hundred million on, 12억 3456만 7898
 * (한글 맞춤법 44항).
 */
export function writeDigits(value: number): string {
  if (value < 1e4 || (value % 1e4 !== 0 && value < 1e8)) return withCommas(value);
  return LARGE.map((unit, level) => ({ unit, part: Math.floor(value / 1e4 ** level) % 1e4 }))
    .filter(({ part }) => part > 0)
    .map(({ unit, part }) => `${part}${unit}`)
    .reverse()
    .join(' ');
}

const withCommas = (value: number): string => String(value).replace(/\B(?=(?:\d{3})+$)/g, ',');
