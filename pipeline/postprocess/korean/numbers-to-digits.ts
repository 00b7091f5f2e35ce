import { merged, type Piece, splitPunctuation } from '../pieces.ts';
import {
  COUNTER_TAILS,
  COUNTERS,
  HOMOGRAPHS,
  IRREGULAR_MONTHS,
  SINO_DIGITS,
} from './number-words.ts';
import { type Numeral, parseNumeral } from './parse-numeral.ts';
import { telephoneNumber } from './telephone-numbers.ts';
import { writeDigits } from './write-numeral.ts';

/** Words that a number with its counter is spread over at most: 삼 억 오 천 만 원. */
const MAX_PIECES = 8;
/** A number without a counter is taken for one from this many syllables. */
const MIN_BARE_SYLLABLES = 3;

const NUMERAL_START = new RegExp(
  `^[\\d${Object.keys(SINO_DIGITS).join('')}십백천만억한두세네다열스서마쉰예여아유시]`,
  'u',
);
/** Counters that one syllable before them in the same word makes no other word with: 삼층, not 오세요. */
const CLEAR_COUNTERS = new Set(['월', '년', '층']);
const COUNTERS_BY_LENGTH = Object.keys(COUNTERS).sort((a, b) => b.length - a.length);
const TAILS = new Set(COUNTER_TAILS);

interface Match {
  readonly count: number;
  readonly text: string;
}

/**
 * Spoken numbers as digits where they are numbers beyond doubt: before a counter that takes this
 * kind of numeral, as telephone numbers, or of several units. 이 일 (this matter), 한 번 (once) and
 * the like stay words unless a number stands before them.
 */
export function koreanNumbersToDigits(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (let at = 0; at < pieces.length; ) {
    const isAfterNumber = /\d\p{L}*$/u.test(result.at(-1)?.text ?? '');
    const match = matchAt(pieces, at, isAfterNumber);
    if (match) result.push(merged(pieces.slice(at, at + match.count), match.text));
    else result.push(pieces[at]!);
    at += match?.count ?? 1;
  }
  return result;
}

/** The longest number that begins with the piece `at`. */
function matchAt(pieces: readonly Piece[], at: number, isAfterNumber: boolean): Match | undefined {
  if (!NUMERAL_START.test(pieces[at]!.text)) return undefined;
  const telephone = telephoneNumber(pieces, at);
  if (telephone) return telephone;
  for (let count = Math.min(MAX_PIECES, pieces.length - at); count > 0; count--) {
    const phrase = pieces.slice(at, at + count);
    if (phrase.slice(0, -1).some(({ text }) => splitPunctuation(text).mark !== '')) continue;
    const text = numberPhrase(phrase, isAfterNumber);
    if (text !== undefined) return { count, text };
  }
  return undefined;
}

/** `phrase` written in digits if all of it is one number with its counter. */
function numberPhrase(phrase: readonly Piece[], isAfterNumber: boolean): string | undefined {
  const joined = phrase.map(({ text }) => text).join('');
  const lastStart = joined.length - phrase.at(-1)!.text.length;
  const { core, mark } = splitPunctuation(joined);
  const month = phrase.length === 1 ? irregularMonth(core) : undefined;
  if (month !== undefined) return month + mark;
  for (const counter of COUNTERS_BY_LENGTH) {
    const found = core.indexOf(counter, Math.max(1, lastStart));
    if (found < 0 || !TAILS.has(core.slice(found + counter.length))) continue;
    const words = core.slice(0, found);
    const isOneWord = found > lastStart && words.length === 1 && counter.length === 1;
    if (isOneWord && !isAfterNumber && !isClear(words, counter)) continue;
    const written = withCounter(words, counter, isAfterNumber);
    if (written !== undefined) return written + core.slice(found + counter.length) + mark;
  }
  return bareNumber(core, lastStart, mark);
}

const isClear = (words: string, counter: string): boolean =>
  CLEAR_COUNTERS.has(counter) || parseNumeral(words)?.kind === 'native';

function irregularMonth(core: string): string | undefined {
  const month = IRREGULAR_MONTHS[core.slice(0, 2)];
  return month !== undefined && TAILS.has(core.slice(2)) ? `${month}월${core.slice(2)}` : undefined;
}

function withCounter(words: string, counter: string, isAfterNumber: boolean): string | undefined {
  const numeral = parseNumeral(words);
  if (numeral === undefined || /^\d+$/.test(words)) return undefined;
  if (!isAfterNumber && HOMOGRAPHS.has(`${words} ${counter}`)) return undefined;
  const { reading, grouped, symbol } = COUNTERS[counter]!;
  if (!agrees(numeral, reading, counter)) return undefined;
  const digits = numeral.kind === 'digits' ? numeral.digits : decimalsKept(numeral, grouped);
  return `${digits}${symbol ?? counter}`;
}

const decimalsKept = ({ digits, value }: Numeral, grouped: boolean): string =>
  digits.includes('.') ? digits : writeDigits(value, grouped);

/** 두 시 and 이십 명, but not 이 시 or 두 원; digits one by one only where a label is meant. */
function agrees({ kind, value, digits }: Numeral, reading: string, counter: string): boolean {
  if (kind === 'native') return reading === 'native';
  if (kind === 'digits') return !COUNTERS[counter]!.grouped && digits.length > 2;
  return reading === 'sino' || value >= 10;
}

/** Several units make a number without a counter: 삼백오십. 이십일 may be a day and stays. */
function bareNumber(core: string, lastStart: number, mark: string): string | undefined {
  const tail = COUNTER_TAILS.filter((text) => core.endsWith(text))
    .sort((a, b) => b.length - a.length)
    .find((text) => parseNumeral(core.slice(0, core.length - text.length))?.kind === 'sino');
  if (tail === undefined || tail.length > core.length - lastStart) return undefined;
  const words = core.slice(0, core.length - tail.length);
  const numeral = parseNumeral(words)!;
  const isLong = words.length >= MIN_BARE_SYLLABLES && /[백천만억조]/.test(words);
  if (!isLong || /^[\d.]+$/.test(words) || numeral.digits.includes('.')) return undefined;
  return `${writeDigits(numeral.value, numeral.value >= 1e4)}${tail}${mark}`;
}
