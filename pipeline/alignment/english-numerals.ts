import { cardinal, englishNumbersToWords, spelt } from '../postprocess/english/digits-to-words.ts';

const SYMBOLS: Readonly<Record<string, string>> = { '%': ' percent', '&': ' and ', '+': ' plus ' };
const MOST_READ_WHOLE = 2;

/** Digits and symbols as they are mostly said, 35% → thirty-five percent; for timing, not for show. */
export const englishDigitsToWords = (text: string): string =>
  englishNumbersToWords(text)
    .replace(/(?<=\d)\.(?=\d)/g, ' point ')
    .replace(/\d+/g, (digits) => ` ${readInside(digits)} `)
    .replace(/[%&+]/g, (symbol) => SYMBOLS[symbol] ?? '');

/** Within names and codes: COVID-19, A4, 747. */
const readInside = (digits: string): string =>
  digits.length <= MOST_READ_WHOLE ? cardinal(digits) : spelt(digits);
