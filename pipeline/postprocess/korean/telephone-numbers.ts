import { type Piece, splitPunctuation } from '../pieces.ts';
import { COUNTER_TAILS } from './number-words.ts';
import { parseNumeral } from './parse-numeral.ts';
import { readDigits } from './write-numeral.ts';

/** Groups are spoken with a pause or with 에 between them. */
const GROUP = /^([영공일이삼사오육륙칠팔구]{2,4}?)에?$/u;
const LAST_GROUP = /^([영공일이삼사오육륙칠팔구]{2,4})(.*)$/u;
const MAX_GROUPS = 3;

/** Area code or mobile prefix, exchange, number; or a nationwide number (15xx-xxxx). */
const WRITTEN = /^(?:(02|0\d{2})(\d{3,4})(\d{4})|(1[568]\d{2})(\d{4}))$/;
const SPELT = /(?<!\d)(\d{2,4})-(\d{3,4})(?:-(\d{4}))?(?!\d)/g;

/** The telephone number that begins with the piece `at`, in digits, and how many pieces it takes. */
export function telephoneNumber(
  pieces: readonly Piece[],
  at: number,
): { readonly count: number; readonly text: string } | undefined {
  let digits = '';
  for (let count = 1; count <= MAX_GROUPS && at + count <= pieces.length; count++) {
    const { core, mark } = splitPunctuation(pieces[at + count - 1]!.text);
    const [, group, tail] = LAST_GROUP.exec(core) ?? [];
    if (group !== undefined && COUNTER_TAILS.includes(tail!)) {
      const written = WRITTEN.exec(digits + digitsOf(group));
      if (written) {
        const text = written.slice(1).filter((part) => part !== undefined);
        return { count, text: `${text.join('-')}${tail}${mark}` };
      }
    }
    const middle = GROUP.exec(core)?.[1];
    if (middle === undefined || mark !== '') return undefined;
    digits += digitsOf(middle);
  }
  return undefined;
}

const digitsOf = (group: string): string =>
  [...group].map((character) => parseNumeral(character)?.digits ?? '').join('');

/** Telephone numbers as they are read: 010-1234-5678 → 공일공 일이삼사 오육칠팔. */
export const readTelephoneNumbers = (text: string): string =>
  text.replace(SPELT, (number: string, ...groups: (string | undefined)[]) => {
    const parts = groups.slice(0, 3).filter((part) => part !== undefined);
    return WRITTEN.test(parts.join(''))
      ? parts.map((part) => readDigits(part, '공')).join(' ')
      : number;
  });
