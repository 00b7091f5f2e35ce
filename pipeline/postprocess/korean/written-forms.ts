import { readBefore } from './count-readings.ts';
import {
  CURRENCY_SIGNS,
  DAYS_OF_HISTORY,
  LETTER_NAMES,
  READ_OTHERWISE,
  UNIT_SIGNS,
} from './latin-readings.ts';
import { readTelephoneGroups, telephoneGroups } from './telephone-numbers.ts';
import { readDigits, readSino } from './write-numeral.ts';

const NOWHERE = { before: '', after: '' };

/** Forms of digits that are not read as one number, in the order in which they are looked for. */
interface Form {
  readonly pattern: RegExp;
  /** Undefined leaves what was found. */
  readonly read: (groups: readonly string[]) => string | undefined;
}

const alternatives = (table: Readonly<Record<string, string>>): string =>
  Object.keys(table)
    .sort((a, b) => b.length - a.length)
    .map((key) => key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('|');

const APART = '(?<![\\p{L}\\d])';
const ENDED = '(?![\\p{Script=Latin}\\d])';
const form = (pattern: string, read: Form['read']): Form => ({
  pattern: new RegExp(pattern, 'gu'),
  read,
});

const FORMS: readonly Form[] = [
  form(`${APART}(${alternatives(READ_OTHERWISE)})${ENDED}`, ([term = '']) => READ_OTHERWISE[term]),
  form('(?<!\\d)(0\\d{1,2})\\)?[- .]?(\\d{3,4})[- .]?(\\d{4})(?!\\d)', readTelephone),
  form('(?<!\\d)(1[568]\\d{2})-(\\d{4})(?!\\d)', readTelephone),
  form('(?<![\\d.])(\\d{4})([-./] ?)(\\d{1,2})\\2(\\d{1,2})(?:\\.(?= ?\\S))?(?![\\d])', readDate),
  form('(?<![\\d:])(\\d{1,2}):([0-5]\\d)(?::([0-5]\\d))?(?![\\d:])', readClock),
  form('(?<![\\d/])([1-4])/4분기', ([quarter = '']) => `${readSino(Number(quarter))}사분기`),
  form('(?<![\\d/])(\\d{1,4})/(\\d{1,4})(?![\\d/])', readFraction),
  form(`(?<!\\d)(${alternatives(DAYS_OF_HISTORY)})(?!\\d)`, ([day = '']) => DAYS_OF_HISTORY[day]),
  form(
    `(?<!\\d)(${alternatives(DAYS_OF_HISTORY).replaceAll('·', '\\.')})(?= ?(?:절|운동|혁명|전쟁|민주|사변|사태))`,
    ([day = '']) => DAYS_OF_HISTORY[day.replace('.', '·')],
  ),
  form(
    `${APART}([vV]) ?(\\d+(?:\\.\\d+)*)${ENDED}`,
    ([, version = '']) => `브이 ${points(version)}`,
  ),
  form('(?<![\\d.])(\\d+(?:\\.\\d+){2,3})(?![\\d.]*\\d)', ([version = '']) => points(version)),
  form('(?<!\\d)(\\d{1,3})(?::| 대 )(\\d{1,3})(?!\\d)', (sides) => sides.map(sino).join(' 대 ')),
  form('(?<![\\d\\p{L}%])[-−](\\d[\\d,.]*) ?(도|℃|°C)', ([value = '']) => `영하 ${value}도`),
  form('(?<![\\d\\p{L}%)])[-−](?=\\d)', () => '마이너스 '),
  form('(?<![\\d\\p{L}%)])\\+(?=\\d)', () => '플러스 '),
  form(
    `(${alternatives(CURRENCY_SIGNS)}) ?(\\d[\\d,.]*(?:[십백천]?[만억조])?)`,
    ([sign = '', amount = '']) => `${amount}${CURRENCY_SIGNS[sign]}`,
  ),
  form(
    `(\\d) ?(${alternatives(UNIT_SIGNS)})(?![\\p{Script=Latin}\\d/])`,
    ([digit = '', sign = '']) => `${digit}${UNIT_SIGNS[sign]}`,
  ),
  form(`${APART}([A-Z]{1,4})-?(\\d+)([A-Z]{0,2})${ENDED}`, readCode),
  form(`(?<![\\p{L}\\d.,-])()(\\d+)([A-Z]{1,3})${ENDED}`, readCode),
];

/** Dates, times, telephone numbers, versions and signs in the words or counters that they stand for. */
export const readWritten = (text: string): string =>
  FORMS.reduce(
    (read, { pattern, read: readForm }) =>
      read.replace(pattern, (found: string, ...rest: unknown[]) => {
        const groups = rest.slice(
          0,
          rest.findIndex((part) => typeof part === 'number'),
        );
        return readForm(groups.map((group) => (typeof group === 'string' ? group : ''))) ?? found;
      }),
    text,
  );

/** Digit by digit what is too long to be a number. */
const sino = (digits: string): string =>
  digits.length > 15 ? readDigits(digits, '영') : readSino(Number(digits));

const points = (version: string): string => version.split('.').map(sino).join(' 점 ');

function readTelephone(groups: readonly string[]): string | undefined {
  const parts = telephoneGroups(groups.join(''));
  return parts && readTelephoneGroups(parts);
}

function readDate([year = '', , month = '', day = '']: readonly string[]): string | undefined {
  const numbers = [month, day].map(Number);
  if (numbers[0]! < 1 || numbers[0]! > 12 || numbers[1]! < 1 || numbers[1]! > 31) return undefined;
  const months = readBefore('월', numbers[0]!, NOWHERE);
  const gap = /^[유시]$/u.test(months) ? '' : ' ';
  return `${sino(year)} 년 ${months}${gap}월 ${readSino(numbers[1]!)} 일`;
}

function readClock([hour = '', minute = '', second = '']: readonly string[]): string | undefined {
  if (Number(hour) > 24) return undefined;
  const parts = [`${readBefore('시', Number(hour), NOWHERE)} 시`];
  if (Number(minute) > 0 || second !== '') parts.push(`${sino(minute)} 분`);
  if (second !== '') parts.push(`${sino(second)} 초`);
  return parts.join(' ');
}

const MOST_TENTHS = 10;

/** 1/3 is a third, 3/15 the fifteenth of March. */
function readFraction([above = '', below = '']: readonly string[]): string | undefined {
  const [part, whole] = [Number(above), Number(below)];
  if (whole === 0) return undefined;
  const isDate = whole > MOST_TENTHS && whole <= 31 && part >= 1 && part <= 12;
  return isDate ? `${part}월 ${whole}일` : `${readSino(whole)}분의 ${readSino(part)}`;
}

/** 5G, H100, KF94: letters by their names. */
function readCode([before = '', digits = '', behind = '']: readonly string[]): string {
  const names = (letters: string): string =>
    [...letters].map((letter) => LETTER_NAMES[letter]).join('');
  const value =
    digits.startsWith('0') && digits.length > 1 ? readDigits(digits, '공') : sino(digits);
  return [names(before), value, names(behind)].filter((part) => part !== '').join(' ');
}
