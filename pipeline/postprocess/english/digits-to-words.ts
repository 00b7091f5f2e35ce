import type { Piece } from '../pieces.ts';
import { IRREGULAR_ORDINALS, LARGE, ONES, smallWords } from './number-words.ts';

const LARGEST = 1e15;
const NUMBER = '\\d{1,3}(?:,\\d{3})+|\\d+';
/** Numbers that stand by themselves: not COVID-19, A4, 1.2.3 or a date. */
const APART = '(?<![\\p{L}\\d.,:/$£€-])';
const ENDED = '(?![\\p{L}\\d/:-]|[.,]\\d)';

const CURRENCIES: Readonly<Record<string, readonly [string, string]>> = {
  $: ['dollar', 'dollars'],
  '£': ['pound', 'pounds'],
  '€': ['euro', 'euros'],
};

interface Form {
  readonly pattern: RegExp;
  readonly read: (groups: readonly string[]) => string;
}

const form = (pattern: string, read: Form['read']): Form => ({
  pattern: new RegExp(pattern, 'gu'),
  read,
});

const FORMS: readonly Form[] = [
  form(`(?<![\\p{L}\\d])([$£€])(${NUMBER})(\\.\\d+)?${ENDED}`, readMoney),
  form(`${APART}([-−])?(${NUMBER})(\\.\\d+)?%`, ([sign = '', whole = '', fraction = '']) =>
    [sign && 'minus', readDecimal(whole, fraction), 'percent'].filter(Boolean).join(' '),
  ),
  form(`${APART}(\\d{1,2}):([0-5]\\d)${ENDED}`, readClock),
  form(`${APART}(${NUMBER})(?:st|nd|rd|th)${ENDED}`, ([digits = '']) => ordinal(cardinal(digits))),
  form(`${APART}(\\d{3}0)s${ENDED}`, ([year = '']) =>
    `${numberOrYear(year)}s`.replace(/ys$/, 'ies'),
  ),
  // A telephone number.
  form(`${APART}(\\d{3})-(\\d{4})${ENDED}`, (groups) => groups.map(spelt).join(' ')),
  form(
    `${APART}(\\d+)[-–~](\\d+)(%)?${ENDED}`,
    ([from = '', to = '', percent = '']) =>
      `${numberOrYear(from)} to ${numberOrYear(to)}${percent && ' percent'}`,
  ),
  form(
    `${APART}[-−](${NUMBER})(\\.\\d+)?${ENDED}`,
    ([whole = '', fraction = '']) => `minus ${readDecimal(whole, fraction)}`,
  ),
  form(`${APART}(${NUMBER})(\\.\\d+)?${ENDED}`, ([whole = '', fraction = '']) =>
    fraction === '' ? numberOrYear(whole) : readDecimal(whole, fraction),
  ),
];

/** Digits as they are mostly said: 35% → thirty-five percent, 2024 → twenty twenty-four. */
export const englishNumbersToWords = (text: string): string =>
  FORMS.reduce(
    (read, { pattern, read: readForm }) =>
      read.replace(pattern, (_: string, ...rest: unknown[]) => {
        const groups = rest.slice(
          0,
          rest.findIndex((part) => typeof part === 'number'),
        );
        return readForm(groups.map((group) => (typeof group === 'string' ? group : '')));
      }),
    text,
  );

/** As above for pieces, each by itself. */
export const englishDigitsToWordsIn = (pieces: readonly Piece[]): Piece[] =>
  pieces.map((piece) =>
    /\d/.test(piece.text) ? { ...piece, text: englishNumbersToWords(piece.text) } : piece,
  );

/** A whole number in words; digit by digit where it is too long or begins with zero. */
export function cardinal(digits: string): string {
  const plain = digits.replaceAll(',', '');
  const value = Number(plain);
  if (value >= LARGEST || (plain.length > 1 && plain.startsWith('0'))) return spelt(plain);
  if (value === 0) return ONES[0]!;
  const groups: string[] = [];
  let rest = value;
  for (const [word, size] of LARGE) {
    if (rest >= size) groups.push(`${below1000(Math.floor(rest / size))} ${word}`);
    rest %= size;
  }
  if (rest > 0) groups.push(below1000(rest));
  return groups.join(' ');
}

function below1000(value: number): string {
  const hundreds = value >= 100 ? `${ONES[Math.floor(value / 100)]} hundred` : '';
  const small = value % 100 === 0 ? '' : smallWords(value % 100).join('-');
  return [hundreds, small].filter((part) => part !== '').join(' ');
}

/** Digit by digit. */
export const spelt = (digits: string): string =>
  [...digits].map((digit) => ONES[Number(digit)]).join(' ');

function numberOrYear(digits: string): string {
  const value = Number(digits);
  const isYear = /^\d{4}$/.test(digits) && value >= 1100 && value < 2100 && value % 1000 >= 10;
  if (!isYear) return cardinal(digits);
  const [century, end] = [Math.floor(value / 100), value % 100];
  if (end === 0) return `${cardinal(String(century))} hundred`;
  const half = end < 10 ? `oh ${ONES[end]}` : cardinal(String(end));
  return `${cardinal(String(century))} ${half}`;
}

const readDecimal = (whole: string, fraction: string): string =>
  fraction === '' ? cardinal(whole) : `${cardinal(whole)} point ${spelt(fraction.slice(1))}`;

function readMoney([sign = '', whole = '', fraction = '']: readonly string[]): string {
  const [one, many] = CURRENCIES[sign]!;
  const cents = fraction.length === 3 ? Number(fraction.slice(1)) : 0;
  const amount = `${cardinal(whole)} ${whole === '1' ? one : many}`;
  if (fraction === '' || fraction === '.00') return amount;
  return cents > 0 && sign !== '£'
    ? `${amount} and ${cardinal(String(cents))} ${cents === 1 ? 'cent' : 'cents'}`
    : `${readDecimal(whole, fraction)} ${many}`;
}

function readClock([hour = '', minute = '']: readonly string[]): string {
  const minutes = Number(minute);
  if (minutes === 0)
    return Number(hour) <= 12 ? `${cardinal(hour)} o’clock` : `${cardinal(hour)} hundred`;
  return `${cardinal(String(Number(hour)))} ${minutes < 10 ? 'oh ' : ''}${cardinal(String(minutes))}`;
}

function ordinal(words: string): string {
  const end = /[a-z]+$/.exec(words)![0];
  const irregular = IRREGULAR_ORDINALS[end] ?? `${end.replace(/y$/, 'ie')}th`;
  return words.slice(0, words.length - end.length) + irregular;
}
