import { type Piece, splitPunctuation } from '../pieces.ts';
import { hasDoubtfulBreak, isUnbroken } from './counted-number.ts';
import { josaAfter } from './josa.ts';
import { isNoNumber } from './number-homographs.ts';
import type { PhraseRule } from './number-phrases.ts';
import { parseNumeral } from './parse-numeral.ts';
import { writeDigits } from './write-numeral.ts';

/** A number without a counter is taken for one from this many syllables, 일억 from two. */
const MIN_SYLLABLES = 3;
const MAX_PIECES = 4;

/** Several units make a number without a counter: 삼백오십, 삼만 오천, 일억. */
export const bareNumber: PhraseRule = (pieces, at) => {
  for (let count = Math.min(MAX_PIECES, pieces.length - at); count > 0; count--) {
    const phrase = pieces.slice(at, at + count).map(({ text }) => text);
    const { core, mark } = splitPunctuation(phrase.join(''));
    const readings = new Set(bareReadings(core));
    const [text] = readings;
    const isOne = isUnbroken(pieces.slice(at, at + count)) && !isDoubtful(phrase);
    if (readings.size === 1 && isOne) return [{ count, text: text + mark }];
    if (isOne && isYearOfEvent(core, pieces.slice(at + count, at + count + MAX_PIECES))) {
      return [{ count, text: parseNumeral(core)!.digits + mark }];
    }
  }
  return undefined;
};

/** 이천십이 여수세계박람회: a year, and no particle. */
const isYearOfEvent = (core: string, behind: readonly Piece[]): boolean => {
  const { kind, value = 0 } = parseNumeral(core) ?? {};
  return (
    kind === 'sino' && value >= 1900 && value < 2100 && behind.some(({ text }) => EVENT.test(text))
  );
};
const EVENT =
  /(?:월드컵|올림픽|아시안게임|박람회|엑스포|선수권|영화제|대회|챔피언스리그|정상회의)/u;

const isDoubtful = (phrase: readonly string[]): boolean =>
  hasDoubtfulBreak(phrase.slice(0, -1), phrase.at(-1)!) ||
  (phrase.length > 1 && /^(?:[일이삼사오육칠팔구]?조|만[일사이])/u.test(phrase.at(-1)!));

/** 삼백오십이 may be 352 or 350 with a particle; 오백만 is written 500만 either way. */
function bareReadings(core: string): string[] {
  const readings: string[] = [];
  for (let length = core.length; length > 1; length--) {
    const [words, tail] = [core.slice(0, length), core.slice(length)];
    const numeral = /^[\d.]+$/.test(words) ? undefined : parseNumeral(words);
    if (numeral?.kind !== 'sino' || !josaAfter(words).has(tail)) continue;
    if (numeral.digits.includes('.') || isNoNumber(words)) continue;
    const isLong = words.length >= MIN_SYLLABLES && /[백천만억조]/u.test(words);
    // 십억이 has a particle: nobody counts two behind a hundred million.
    if (/[만억조]이$/u.test(words)) continue;
    if (!isLong && !words.endsWith('억') && readings.length === 0) continue;
    readings.push(
      (numeral.value < 1e4 ? String(numeral.value) : writeDigits(numeral.value)) + tail,
    );
  }
  return readings;
}
