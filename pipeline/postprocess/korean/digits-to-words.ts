import { merged, type Piece } from '../pieces.ts';
import { COUNTERS } from './number-words.ts';
import { readTelephoneNumbers } from './telephone-numbers.ts';
import { readDigits, readNative, readSino } from './write-numeral.ts';

const LARGEST = 1e16;
const COUNTER_PATTERN = Object.keys(COUNTERS)
  .sort((a, b) => b.length - a.length)
  .join('|');
const STARTS_WITH_COUNTER = new RegExp(`^(?:${COUNTER_PATTERN}|%)`, 'u');
const NUMBER = new RegExp(
  `(?<![\\d\\p{Script=Latin}])(\\d{1,3}(?:,\\d{3})+|\\d+)(?:\\.(\\d+))?([만억조])?\\s?(%|${COUNTER_PATTERN})?`,
  'gu',
);

/** Digits as they are read, by the counter behind them: 35,000원 → 삼만 오천 원, 3시 → 세 시. */
export const koreanDigitsToWords = (text: string): string =>
  readTelephoneNumbers(text).replace(NUMBER, (written: string, ...groups: (string | undefined)[]) =>
    readNumber(written, groups),
  );

function readNumber(written: string, groups: readonly (string | undefined)[]): string {
  const [whole = '', decimals, unit = '', counter] = groups;
  const value = Number(whole.replaceAll(',', ''));
  if (value >= LARGEST) return written;
  if (counter === '월' && value === 6) return '유월';
  if (counter === '월' && value === 10) return '시월';
  const words = `${readValue({ value, whole, decimals, counter })}${unit}`;
  if (counter === undefined) return written.endsWith(' ') ? `${words} ` : words;
  return `${words} ${counter === '%' ? '퍼센트' : counter}`;
}

interface WrittenNumber {
  readonly value: number;
  readonly whole: string;
  readonly decimals: string | undefined;
  readonly counter: string | undefined;
}

function readValue({ value, whole, decimals, counter }: WrittenNumber): string {
  if (decimals !== undefined) return `${readSino(value)} 점 ${readDigits(decimals, '영')}`;
  if (whole.length > 1 && whole.startsWith('0')) return readDigits(whole, '공');
  const isNative = counter !== undefined && COUNTERS[counter]?.reading === 'native';
  return (isNative ? readNative(value) : undefined) ?? readSino(value);
}

/** As above for pieces; a counter in the next word is part of the number. */
export function koreanDigitsToWordsIn(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (let at = 0; at < pieces.length; at++) {
    const piece = pieces[at]!;
    const next = pieces[at + 1];
    const isCounted =
      next !== undefined && /\d$/.test(piece.text) && STARTS_WITH_COUNTER.test(next.text);
    const phrase = isCounted ? [piece, next] : [piece];
    const text = phrase.map((part) => part.text).join(' ');
    result.push(merged(phrase, koreanDigitsToWords(text)));
    if (isCounted) at += 1;
  }
  return result;
}
