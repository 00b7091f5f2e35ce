import type { CountedNumber } from './counted-number.ts';
import { COUNTERS } from './counters.ts';
import { writeDigits } from './write-numeral.ts';

/** 만 before these counts full years: 만 65세, 만 3년. */
const AFTER_FULL = /^(?:세|살|년|개월|주|달|일|시간)$/u;
const MAX_FULL = 1000;

/** A number in digits with its counter, `isAfterFull` where 만 is the first word of it. */
export function writeCounted(found: CountedNumber, isAfterFull: boolean): string {
  const { numeral, counter, tail, mark, isMore, isOneWord } = found;
  const { isLabel, symbol } = COUNTERS.get(counter)!;
  const isFull = AFTER_FULL.test(counter) && isFullAge(found, isAfterFull);
  const value = isFull ? numeral.value - 1e4 : numeral.value;
  const isSpelt = numeral.kind === 'digits' || numeral.digits.includes('.');
  const plain = isLabel && value < 1e4 ? String(value) : writeDigits(value);
  const digits = `${isSpelt ? numeral.digits : plain}${isMore ? '여' : ''}`;
  const unit = isMore ? counter : (symbol ?? counter);
  // 한글 맞춤법 43항: a counter may stand at digits, not at words.
  const isSuffix = isOneWord && counter === '대';
  const gap = unit !== symbol && !isSuffix && /[만억조여]$/u.test(digits) ? ' ' : '';
  return `${isFull ? '만 ' : ''}${digits}${gap}${unit}${tail}${mark}`;
}

/** 만 육십오 세 is of age 65; 만 오백 년 is 10,500 years, unless 만 stands alone. */
const isFullAge = ({ words, counter, numeral }: CountedNumber, isAfterFull: boolean): boolean =>
  (isAfterFull || /[세살]/u.test(counter)) &&
  words.startsWith('만') &&
  words.length > 1 &&
  numeral.value - 1e4 < MAX_FULL;
