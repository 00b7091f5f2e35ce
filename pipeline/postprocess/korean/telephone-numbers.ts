import { splitPunctuation } from '../pieces.ts';
import { josaAfter } from './josa.ts';
import type { PhraseRule } from './number-phrases.ts';
import { SINO_DIGITS } from './number-words.ts';
import { readDigits } from './write-numeral.ts';

/** Area code or mobile prefix, exchange, number; or a nationwide number (15xx-xxxx). */
const WRITTEN = /^(?:(02|0[13-8]\d|050\d)(\d{3,4})(\d{4})|(1[568]\d{2})(\d{4}))$/;

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
