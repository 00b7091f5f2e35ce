import { merged, type Piece, splitPunctuation } from '../pieces.ts';
import { BEFORE_YEAR } from './number-words.ts';
import { type EnglishNumber, isScale, parseNumber } from './parse-number.ts';

const MAX_PIECES = 16;
const FIRST_YEAR = 2001;
const LAST_YEAR = 2099;

/** Two words or more that are one number, or one before `percent`: twenty-five → 25. */
export function englishNumbersToDigits(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (let at = 0; at < pieces.length; ) {
    const found = numberAt(pieces, at);
    result.push(found ? merged(pieces.slice(at, at + found.count), found.text) : pieces[at]!);
    at += found?.count ?? 1;
  }
  return result;
}

interface Found {
  readonly count: number;
  readonly text: string;
}

/** The longest number that begins there and is not the beginning of a larger one. */
function numberAt(pieces: readonly Piece[], at: number): Found | undefined {
  const runs = runsAt(pieces, at);
  for (const { words, mark } of runs.reverse()) {
    const count = words.length;
    const parsed = parseNumber(words.flat());
    const next = mark === '' ? wordAt(pieces, at + count) : '';
    if (parsed === undefined || isScale(next)) continue;
    const percent = percentAt(pieces, at + count, mark);
    if (percent) return { count: count + percent.count, text: parsed.digits + percent.text };
    const flat = words.flat();
    const isPlain = flat.length === 1 || (flat[0] === 'a' && flat.length === 2);
    if (isPlain) continue;
    const digits = digitsOf(parsed, wordAt(pieces, at - 1), next);
    if (digits !== undefined) return { count, text: digits + mark };
  }
  return undefined;
}

/** Ever longer runs of pieces up to the first mark, as words. */
function runsAt(pieces: readonly Piece[], at: number) {
  const runs: { readonly words: readonly (readonly string[])[]; readonly mark: string }[] = [];
  let words: readonly (readonly string[])[] = [];
  for (let index = at; index < Math.min(pieces.length, at + MAX_PIECES); index++) {
    const { core, mark } = splitPunctuation(pieces[index]!.text);
    words = [...words, core.toLowerCase().split('-')];
    if (!words.at(-1)!.every(mayBeInNumber)) break;
    runs.push({ words, mark });
    if (mark !== '') break;
  }
  return runs;
}

const mayBeInNumber = (word: string): boolean =>
  /^(?:a|and|oh|point)$/.test(word) || isScale(word) || isNumberWord(word);

const isNumberWord = (word: string): boolean =>
  parseNumber([word]) !== undefined || parseNumber(['twenty', word]) !== undefined;

const wordAt = (pieces: readonly Piece[], at: number): string =>
  splitPunctuation(pieces[at]?.text ?? '').core.toLowerCase();

/** Percent, or per cent. */
function percentAt(pieces: readonly Piece[], at: number, mark: string): Found | undefined {
  const isSplit = wordAt(pieces, at) === 'per' && wordAt(pieces, at + 1) === 'cent';
  if (mark !== '' || (!isSplit && wordAt(pieces, at) !== 'percent')) return undefined;
  const last = pieces[at + (isSplit ? 1 : 0)]!;
  return { count: isSplit ? 2 : 1, text: `%${splitPunctuation(last.text).mark}` };
}

/** In two thousand twenty four is a year, two thousand twenty four people are not. */
function digitsOf(parsed: EnglishNumber, before: string, next: string): string | undefined {
  const isYearHere = BEFORE_YEAR.has(before) && !/[^s'’]s$/.test(next);
  if (parsed.kind === 'year') return parsed.isSure || isYearHere ? parsed.digits : undefined;
  const isYear =
    parsed.kind === 'cardinal' && parsed.value >= FIRST_YEAR && parsed.value <= LAST_YEAR;
  return isYear && isYearHere ? String(parsed.value) : parsed.digits;
}
