import { type Piece, splitPunctuation } from '../pieces.ts';
import { endsInConsonant } from './hangul.ts';
import { josaAfter } from './josa.ts';
import type { PhraseRule } from './number-phrases.ts';
import { BEFORE_DIGITS, SINO_DIGITS } from './number-words.ts';
import { telephoneGroups } from './telephone-numbers.ts';

const DIGIT_WORD = /^([영공일이삼사오육륙칠팔구]+)(.*)$/u;
const HYPHEN = /^(?:다시|대시|하이픈)$/u;
/** Below this a run of digits may be words: 일이 이 사이. */
const MIN_DIGITS = 7;
const MIN_ANNOUNCED = 4;
const TELEPHONE = /^(?:0\d{1,3}-\d{3,4}|1[568]\d{2})-\d{4}$/;
/** Behind a whole number one or two more are words, as in 오육칠팔 이 사람. */
const MAX_DIGITS_BEHIND = 2;

/**
 * Digits read out behind a noun that announces them, or so many that they can be nothing else: card,
 * account, resident and telephone numbers. Written whole or, in doubt, left whole: half of a card
 * number in digits helps nobody.
 */
export const dictatedDigits: PhraseRule = (pieces, at) => {
  const label = labelBefore(pieces, at);
  const run = digitRun(pieces, at);
  let behind = 0;
  for (let count = run.length; count > 0 && behind <= MAX_DIGITS_BEHIND; count--) {
    const text = dictatedIn(run.slice(0, count), label);
    if (text !== undefined) return [{ count, text }];
    behind += run[count - 1]!.digits.length;
  }
  const digits = run.reduce((sum, word) => sum + word.digits.length, 0);
  if (digits < (label === undefined ? MIN_DIGITS : MIN_ANNOUNCED)) return undefined;
  return pieces.slice(at, at + run.length).map(({ text }) => ({ count: 1, text }));
};

/** A word of digits, or 다시 between two of them. */
interface DigitWord {
  /** As they are spoken; the last ones may be a particle. */
  readonly digits: string;
  readonly tail: string;
  readonly mark: string;
}

/** Words of digits one after another; only the last has a particle, and a sentence ends none. */
function digitRun(pieces: readonly Piece[], at: number): DigitWord[] {
  const run: DigitWord[] = [];
  for (let index = at; index < pieces.length; index++) {
    const { core, mark } = splitPunctuation(pieces[index]!.text);
    const [, digits = '', tail = ''] = DIGIT_WORD.exec(core) ?? [];
    const isHyphen = HYPHEN.test(core) && run.length > 0;
    if (!isHyphen && (digits === '' || endsOf(digits, tail).length === 0)) break;
    run.push(isHyphen ? { digits: '', tail: '', mark } : { digits, tail, mark });
    if (/[.!?]/.test(mark) || !/^[에의]?$/u.test(tail)) break;
  }
  while (run.at(-1)?.digits === '') run.pop();
  return run;
}

/** Every way to tell the last digits from a particle: 공이야 is 0 or 02, behind it 이야 or 야. */
function endsOf(
  digits: string,
  rest: string,
): { readonly digits: string; readonly tail: string }[] {
  return [...digits]
    .map((_, index) => ({
      digits: digits.slice(0, index + 1),
      tail: digits.slice(index + 1) + rest,
    }))
    .filter((end) => josaAfter(end.digits).has(end.tail));
}

function dictatedIn(words: readonly DigitWord[], label: Label | undefined): string | undefined {
  const last = words.at(-1)!;
  const before = words.slice(0, -1).flatMap(({ digits }) => (digits === '' ? [] : [digits]));
  const found = endsOf(last.digits, last.tail).flatMap((end) => {
    const groups = [...before, end.digits];
    const text = writtenAs(groups.map(digitsOf), label);
    return text === undefined ? [] : [{ ...end, text, isTelephone: TELEPHONE.test(text) }];
  });
  const likely = found.length > 1 ? found.filter(isLikelyEnd) : found;
  const telephones = likely.filter(({ isTelephone }) => isTelephone);
  const [best, other] = telephones.length > 0 ? telephones : likely;
  return best && !other ? best.text + best.tail + last.mark : undefined;
}

const digitsOf = (words: string): string =>
  [...words].map((word) => String(SINO_DIGITS[word])).join('');

/** Behind a digit that ends in a vowel 이 is a digit itself: 사오이야 is 452. */
const isLikelyEnd = (end: { readonly digits: string; readonly tail: string }): boolean =>
  !(end.tail.startsWith('이') && endsInConsonant(end.digits) === false);

interface Label {
  readonly noun: RegExp;
  /** Lengths of the groups in which it is written, by the number of its digits. */
  readonly forms?: Readonly<Record<number, readonly number[]>>;
  /** How many digits it may have, where it is written in the groups in which it was spoken. */
  readonly lengths?: readonly number[];
}

const CARD = { 14: [4, 6, 4], 15: [4, 6, 5], 16: [4, 4, 4, 4] } as const;
const RESIDENT = { 13: [6, 7] } as const;

/** The more special ones first. */
const LABELS: readonly Label[] = [
  { noun: /카드\s?번호$/u, forms: CARD },
  { noun: /(?:주민|외국인|법인)\s?(?:등록\s?)?번호$/u, forms: RESIDENT },
  { noun: /사업자\s?(?:등록\s?)?번호$/u, forms: { 10: [3, 2, 5] } },
  { noun: /계좌\s?(?:번호)?$/u, lengths: [8, 9, 10, 11, 12, 13, 14, 15, 16] },
  { noun: /우편\s?번호$/u, forms: { 5: [5], 6: [3, 3] } },
  { noun: /비밀\s?번호$|비번$|뒷자리$/u, lengths: [4, 6, 7, 8] },
  { noun: /(?:차량?|차량\s?등록)\s?번호$/u, lengths: [4] },
  { noun: /(?:인증|승인|확인)\s?번호$|인증\s?코드$/u, lengths: [4, 6] },
  { noun: /(?:전화|휴대폰|핸드폰|연락처|팩스)\s?(?:번호)?$/u },
  { noun: /국번\s?없이?$/u, lengths: [3, 4] },
  { noun: BEFORE_DIGITS, lengths: [3, 4, 5, 6, 7, 8, 9, 10, 11, 12] },
];

/** What announces the digits: 카드 번호는, 제 번호가 … */
function labelBefore(pieces: readonly Piece[], at: number): Label | undefined {
  const words = pieces
    .slice(Math.max(0, at - 4), at)
    .map(({ text }) => splitPunctuation(text).core);
  // 계좌 번호 불러 줄게: a verb or two may stand between.
  const isSaid = /^(?:불러|부를게|말해|알려|적어)/u.test(words.at(-2) ?? words.at(-1) ?? '');
  const noun = (isSaid ? words.slice(0, -2) : words)
    .join(' ')
    .replace(/(?:[은는이가를을]|도)$/u, '');
  return LABELS.find((label) => label.noun.test(noun));
}

/** The digits in the form of such a number; undefined where they are none. */
function writtenAs(groups: readonly string[], label: Label | undefined): string | undefined {
  const digits = groups.join('');
  const telephone = telephoneGroups(digits)?.join('-');
  // Eight digits one by one may be counted aloud; a number that begins with 0 is not.
  const isCounting = groups[0]!.length === 1 && !digits.startsWith('0');
  if (label === undefined) return isCounting ? undefined : (telephone ?? unannounced(groups));
  const form = label.forms?.[digits.length];
  if (form) return grouped(digits, form).join('-');
  if (telephone !== undefined && label.forms === undefined) return telephone;
  if (label.forms) return undefined;
  if (label.lengths === undefined)
    return digits.length === 8 ? grouped(digits, [4, 4]).join('-') : undefined;
  if (!label.lengths.includes(digits.length)) return undefined;
  const isSpelt = groups.every(({ length }) => length === 1);
  return isSpelt || digits.length <= MIN_DIGITS ? digits : groups.join('-');
}

/** Sixteen digits in fours, or thirteen by six and seven, say themselves what they are. */
function unannounced(groups: readonly string[]): string | undefined {
  const lengths = groups.map(({ length }) => length).join();
  return lengths === '4,4,4,4' || lengths === '6,7' ? groups.join('-') : undefined;
}

function grouped(digits: string, lengths: readonly number[]): string[] {
  const starts = lengths.map((_, index) => lengths.slice(0, index).reduce((a, b) => a + b, 0));
  return starts.map((start, index) => digits.slice(start, start + lengths[index]!));
}
