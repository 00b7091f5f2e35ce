import { IRREGULAR_ORDINALS, LARGE, ONES, smallValue, TENS } from './number-words.ts';

const LARGE_VALUES = new Map(LARGE);
const ORDINAL_ENDS = new Map(
  [...ONES.slice(1, 10), 'ten'].map((word) => [IRREGULAR_ORDINALS[word] ?? `${word}th`, word]),
);
/** Centuries whose years are said in two halves. */
const CENTURIES = new Set(['seventeen', 'eighteen', 'nineteen', 'twenty']);

/** A number as it is written. */
export interface EnglishNumber {
  readonly digits: string;
  /** A cardinal or a year of four digits, that may be either. */
  readonly value: number;
  readonly kind: 'cardinal' | 'decimal' | 'year' | 'ordinal';
  /** Of a year: whether its halves can mean nothing else, as nineteen ninety does not. */
  readonly isSure: boolean;
}

/** The number that all of the words are; undefined where they are none, or more than one. */
export function parseNumber(words: readonly string[]): EnglishNumber | undefined {
  const value = cardinalOf(words);
  if (value !== undefined) return number(value, 'cardinal', value.toLocaleString('en-US'));
  return decimalOf(words) ?? ordinalOf(words) ?? yearOf(words);
}

/** Whether words may go on after these: hundred in two hundred. */
export const isScale = (word: string): boolean => word === 'hundred' || LARGE_VALUES.has(word);

const number = (value: number, kind: EnglishNumber['kind'], digits: string, isSure = true) => ({
  value,
  kind,
  digits,
  isSure,
});

function decimalOf(words: readonly string[]): EnglishNumber | undefined {
  const point = words.indexOf('point');
  const scale = LARGE_VALUES.has(words.at(-1) ?? '') ? words.at(-1)! : '';
  const fraction = words.slice(point + 1, words.length - (scale === '' ? 0 : 1));
  const whole = cardinalOf(words.slice(0, point));
  const digits = fraction.map((word) => (word === 'oh' ? 0 : ONES.indexOf(word)));
  if (point < 1 || whole === undefined || digits.length === 0) return undefined;
  if (digits.some((digit) => digit < 0 || digit > 9)) return undefined;
  const text = `${whole.toLocaleString('en-US')}.${digits.join('')}`;
  return number(whole, 'decimal', scale === '' ? text : `${text} ${scale}`);
}

/** Twenty first; second is left out, since a twenty second break is a short one. */
function ordinalOf(words: readonly string[]): EnglishNumber | undefined {
  const last = words.at(-1) ?? '';
  const end = ORDINAL_ENDS.get(last);
  if (end === undefined || last === 'second' || words.length < 2) return undefined;
  const value = cardinalOf([...words.slice(0, -1), end]);
  if (value === undefined) return undefined;
  return number(value, 'ordinal', value.toLocaleString('en-US') + ordinalSuffix(value));
}

function ordinalSuffix(value: number): string {
  const isTeen = value % 100 > 10 && value % 100 < 14;
  return isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][value % 10] ?? 'th');
}

/** Nineteen ninety nine, twenty oh five. */
function yearOf([century = '', ...rest]: readonly string[]): EnglishNumber | undefined {
  if (!CENTURIES.has(century) || rest.length < 1 || rest.length > 2) return undefined;
  const isOh = rest[0] === 'oh' && rest.length === 2;
  const end = isOh ? ONES.indexOf(rest[1]!) : cardinalOf(rest);
  if (end === undefined || end < (isOh ? 1 : 10) || end > (isOh ? 9 : 99)) return undefined;
  const year = smallValue(century)! * 100 + end;
  return number(year, 'year', String(year), rest.length === 2);
}

interface Sum {
  total: number;
  group: number;
  lastLarge: number;
  /** The next word must be below. */
  smallest: number;
  isAfterAnd: boolean;
}

/** One cardinal number: two thousand and twenty four, thirty six hundred. */
function cardinalOf(words: readonly string[]): number | undefined {
  if (words.length === 0 || words.at(-1) === 'and' || words.at(-1) === 'a') return undefined;
  const sum: Sum = {
    total: 0,
    group: 0,
    lastLarge: Infinity,
    smallest: Infinity,
    isAfterAnd: false,
  };
  for (const [index, word] of words.entries()) {
    if (!added(sum, word, { previous: words[index - 1], isOnly: words.length === 1 })) {
      return undefined;
    }
  }
  return sum.total + sum.group;
}

function added(
  sum: Sum,
  word: string,
  { previous, isOnly }: { readonly previous: string | undefined; readonly isOnly: boolean },
): boolean {
  if (word === 'and') {
    sum.isAfterAnd = true;
    return previous !== undefined && isScale(previous);
  }
  if (isScale(word)) return !sum.isAfterAnd && scaled(sum, word);
  const small = word === 'a' && previous === undefined ? 1 : smallValue(word);
  if (small === undefined || small >= sum.smallest || (small === 0 && !isOnly)) return false;
  sum.group += small;
  sum.smallest = TENS.includes(word) ? 10 : 1;
  return true;
}

function scaled(sum: Sum, word: string): boolean {
  const large = LARGE_VALUES.get(word);
  if (large === undefined) {
    const isHundreds = sum.group > 0 && sum.group < 100 && (sum.group < 10 || sum.group % 10 > 0);
    sum.group *= 100;
    sum.smallest = 100;
    return isHundreds;
  }
  if (sum.group === 0 || large >= sum.lastLarge) return false;
  sum.total += sum.group * large;
  [sum.group, sum.lastLarge, sum.smallest] = [0, large, Infinity];
  return true;
}
