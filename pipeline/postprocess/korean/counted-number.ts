import { type Piece, splitPunctuation } from '../pieces.ts';
import { isClearTogether } from './clear-together.ts';
import { COUNTERS, type Counter, LONGEST_COUNTER, mayEndIn } from './counters.ts';
import { isSureApart, isSureTogether } from './number-certainty.ts';
import { IRREGULAR_MONTHS, NATIVE_VARIANTS, SINO_DIGITS } from './number-words.ts';
import { type Numeral, parseNumeral } from './parse-numeral.ts';

/** Words that a number with its counter is spread over at most: 삼 억 오 천 만 원. */
const MAX_PIECES = 8;

const NUMERAL_START = new RegExp(
  `^[\\d${Object.keys(SINO_DIGITS).join('')}십백천만억한두세네다열스서석넉마쉰예여아일유시제]`,
  'u',
);

/** Whether a number may begin with the word. */
export const startsNumeral = ({ text }: Piece): boolean => NUMERAL_START.test(text);

/** A numeral with its counter, and what stands behind that in the same word. */
export interface CountedNumber {
  /** Pieces that it takes. */
  readonly count: number;
  readonly numeral: Numeral;
  /** The numeral as it was spoken, without spaces. */
  readonly words: string;
  /** 여: ten and some more. */
  readonly isMore: boolean;
  readonly counter: string;
  readonly tail: string;
  readonly mark: string;
  /** Whether numeral and counter are the only word. */
  readonly isOneWord: boolean;
  /** Whether it can be nothing else, whatever stands around it. */
  readonly isSure: boolean;
}

/** The longest one that begins with the piece `at`. */
export function countedNumber(pieces: readonly Piece[], at: number): CountedNumber | undefined {
  for (let count = numeralRun(pieces, at); count > 0; count--) {
    const phrase = pieces.slice(at, at + count);
    const found = splitNumber(phrase);
    if (found) return { ...found, isSure: isSure(found, pieces, at) };
  }
  return undefined;
}

const NUMERAL_ONLY =
  /^[\d영공일이삼사오육륙칠팔구십백천만억조점쩜한두세네다섯여곱덟아홉열스물서른마흔쉰예순든무석넉]+$/u;

/** Pieces of which all but the last are numerals. */
function numeralRun(pieces: readonly Piece[], at: number): number {
  const most = Math.min(MAX_PIECES, pieces.length - at);
  let count = 1;
  while (count < most && NUMERAL_ONLY.test(pieces[at + count - 1]!.text)) count += 1;
  return count;
}

/** Without a mark between its words. */
export const isUnbroken = (phrase: readonly Piece[]): boolean =>
  phrase.slice(0, -1).every(({ text }) => splitPunctuation(text).mark === '');

type Split = Omit<CountedNumber, 'isSure'>;

/** The counter begins in the last word: 삼십 분 or 삼십분. */
function splitNumber(phrase: readonly Piece[]): Split | undefined {
  const before = phrase.slice(0, -1).map(({ text }) => text);
  const { core, mark } = splitPunctuation(phrase.at(-1)!.text);
  const count = phrase.length;
  const month = count === 1 ? splitMonth(core) : undefined;
  if (month) return { ...month, count, mark };
  if (hasDoubtfulBreak(before, core)) return undefined;
  for (let start = count === 1 ? 1 : 0; start < core.length; start++) {
    const own = core.slice(0, start);
    const words = before.join('') + own;
    for (let length = Math.min(LONGEST_COUNTER, core.length - start); length > 0; length--) {
      const counter = core.slice(start, start + length);
      const tail = core.slice(start + length);
      const kind = COUNTERS.get(counter);
      if (!kind || !mayEndIn(counter, tail)) continue;
      if (before.length > 0 && !mayEndNumeral(own, counter)) continue;
      const numeral = numeralFor(words, counter);
      if (!numeral || !agrees(numeral, counter, kind, own.length === words.length)) continue;
      if (numeral.kind === 'digits' && before.length + Number(own !== '') > 1) continue;
      const isMore = words.endsWith('여');
      return { count, words, numeral, isMore, counter, tail, mark, isOneWord: count === 1 };
    }
  }
  return undefined;
}

/**
 * A space within a numeral belongs behind 만, 억 and 조 (한글 맞춤법 44항). Elsewhere the parts may be
 * other words: 일 조건 (conditions of work), 이 백만 원 (this million).
 */
export const hasDoubtfulBreak = (before: readonly string[], last: string): boolean =>
  before.some((word, index) => {
    const next = before[index + 1] ?? last;
    const isWord = /^[일이사오구]$/u.test(word) && /^[십백천만억조]/u.test(next);
    return isWord || /^[일이삼사오육칠팔구]?조(?!$|원)/u.test(next);
  });

/** Of a numeral that began in a word before: not 삼십 사원 (thirty employees), 삼십 여건. */
function mayEndNumeral(own: string, counter: string): boolean {
  if (own === '여') return /^(?:명|개|년|곳)$/u.test(counter);
  if (own.length !== 1) return true;
  return /[십백천만억조]/u.test(own)
    ? /^(?:원|명|개|달러|불|건)$/u.test(counter)
    : isClearTogether(own, counter);
}

function splitMonth(core: string): Omit<Split, 'count' | 'mark'> | undefined {
  const words = core.slice(0, 2);
  const value = IRREGULAR_MONTHS[words];
  const tail = core.slice(2);
  if (value === undefined || !mayEndIn('월', tail)) return undefined;
  const numeral: Numeral = { value, kind: 'sino', digits: String(value) };
  return { words, numeral, isMore: false, counter: '월', tail, isOneWord: true };
}

/** 십여 명: round numbers may have 여 before the counter. Digits alone are written already. */
function numeralFor(words: string, counter: string): Numeral | undefined {
  const variant = NATIVE_VARIANTS[words];
  if (variant?.before.split(' ').includes(counter)) {
    return { value: variant.value, kind: 'native', digits: String(variant.value) };
  }
  if (/^[\d.]*$/.test(words)) return undefined;
  if (!words.endsWith('여')) return parseNumeral(words);
  const round = parseNumeral(words.slice(0, -1));
  return round?.kind === 'sino' && round.value > 0 && round.value % 10 === 0 ? round : undefined;
}

/** 두 시 and 이십 명, but not 이 시 or 두 원; digits one by one only where a label is meant. */
function agrees(
  { kind, value, digits }: Numeral,
  counter: string,
  { takes, isLabel, isMeasure }: Counter,
  isOneWord: boolean,
): boolean {
  if (!isPossible(value, counter)) return false;
  // 두 팀 as 두 사람.
  if (counter === '팀' && kind === 'native' && value < 5) return false;
  // 이십육쩜칠개: of anything, an average may have a fraction.
  if (digits.includes('.')) return isMeasure || isOneWord;
  if (kind === 'native') return takes !== 'sino';
  if (kind === 'digits') return isLabel && digits.length >= fewestDigits(digits, counter);
  if (counter === '시') return value === 0 || value > 12;
  return takes !== 'native' || value >= 10;
}

/** 공팔 학번, 공일번 버스, but 이오 호 and 영사관 are no numbers. */
const fewestDigits = (digits: string, counter: string): number =>
  counter === '학번' || (digits.startsWith('0') && /^[번호]$/u.test(counter)) ? 2 : 3;

const MOST: Readonly<Record<string, number>> = { 시: 24, 월: 12, 학년: 12, 학기: 4, 분기: 4 };

const isPossible = (value: number, counter: string): boolean =>
  value <= (MOST[counter] ?? Infinity) && (counter !== '월' || value >= 1);

function isSure(found: Split, pieces: readonly Piece[], at: number): boolean {
  const { words, counter, tail, mark, count, isOneWord } = found;
  if (IRREGULAR_MONTHS[words] !== undefined) return true;
  const before = splitPunctuation(pieces[at - 1]?.text ?? '');
  const after = splitPunctuation(pieces[at + count]?.text ?? '').core;
  const isSentenceStart = before.core === '' || before.mark !== '';
  if (!isOneWord) {
    return isSureApart([words, counter, tail], { before: before.core, after, isSentenceStart });
  }
  return isSureTogether([words, counter, tail], {
    before: isSentenceStart ? '' : before.core,
    after: mark === '' ? after : '',
    isSentenceStart,
  });
}
