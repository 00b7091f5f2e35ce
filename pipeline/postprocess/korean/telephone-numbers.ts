import { type Piece, splitPunctuation } from '../pieces.ts';
import { josaAfter } from './josa.ts';
import type { PhraseRule, Replacement } from './number-phrases.ts';
import { SINO_DIGITS } from './number-words.ts';
import { readDigits } from './write-numeral.ts';

/** Digits are spoken with a pause, with 에 or with 다시 between their groups. */
const GROUP = /^([영공일이삼사오육륙칠팔구]*)(?:에|의|다시)?$/u;
const LAST_GROUP = /^[영공일이삼사오육륙칠팔구]+/u;
const MAX_PIECES = 13;

/** Area code or mobile prefix, exchange, number; or a nationwide number (15xx-xxxx). */
const WRITTEN = /^(?:(02|0\d{2})(\d{3,4})(\d{4})|(1[568]\d{2})(\d{4}))$/;

/** 공일공 일이삼사 오육칠팔 → 010-1234-5678; the longest that the digits make. */
export const telephoneNumber: PhraseRule = (pieces, at) => {
  let digits = '';
  let found: Replacement | undefined;
  for (let count = 1; count <= MAX_PIECES && at + count <= pieces.length; count++) {
    const { core, mark } = splitPunctuation(pieces[at + count - 1]!.text);
    const text = endOfNumber(digits, core);
    if (text !== undefined && !isCounting(pieces[at]!, digits)) {
      found = [{ count, text: text + mark }];
    }
    const middle = GROUP.exec(core)?.[1];
    if (middle === undefined || /[.!?]/.test(mark) || digits + middle === '') break;
    digits += digitsOf(middle);
  }
  return found;
};

/** The number in groups with the particle behind it, if `core` completes one. */
function endOfNumber(digits: string, core: string): string | undefined {
  const [group = ''] = LAST_GROUP.exec(core) ?? [];
  for (let length = group.length; length > 0; length--) {
    const parts = WRITTEN.exec(digits + digitsOf(core.slice(0, length)));
    const tail = core.slice(length);
    if (!parts || !josaAfter(core.slice(0, length)).has(tail)) continue;
    return (
      parts
        .slice(1)
        .filter((part) => part !== undefined)
        .join('-') + tail
    );
  }
  return undefined;
}

/** Eight digits one by one may be counted aloud; a number that begins with 0 is not. */
const isCounting = ({ text }: Piece, digits: string): boolean =>
  text.length === 1 && !digits.startsWith('0');

const digitsOf = (group: string): string =>
  [...group].map((character) => String(SINO_DIGITS[character])).join('');

const EMERGENCY = /^(일일구|일일사|일일이)(.*)$/u;
/** 일일이 is one by one, too. */
const BEFORE_CALL = /^(?:신고|전화|연락|문의|접수)/u;

/** 일일구에 → 119에. */
export const emergencyNumber: PhraseRule = (pieces, at) => {
  const { core, mark } = splitPunctuation(pieces[at]!.text);
  const [, words = '', tail = ''] = EMERGENCY.exec(core) ?? [];
  if (words === '' || !josaAfter(words).has(tail)) return undefined;
  const isCalled = /^(?:에|로)$/u.test(tail) && BEFORE_CALL.test(pieces[at + 1]?.text ?? '');
  if (words === '일일이' && !isCalled) return undefined;
  return [{ count: 1, text: digitsOf(words) + tail + mark }];
};

/** As they are read: 공일공 일이삼사 오육칠팔. */
export const readTelephoneGroups = (groups: readonly string[]): string =>
  groups.map((group) => readDigits(group, '공')).join(' ');

/** The groups of a telephone number's digits; undefined where they are none. */
export function telephoneGroups(digits: string): string[] | undefined {
  return WRITTEN.exec(digits)
    ?.slice(1)
    .filter((part) => part !== undefined);
}
