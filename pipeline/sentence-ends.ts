import { abbreviationsOf } from './abbreviations.ts';
import { koreanSentenceEnd } from './postprocess/korean/sentence-ends.ts';

/** A word with its marks, and where it stands. */
export interface WordInText {
  readonly word: string;
  readonly next: string;
  /** Whether it begins a sentence, as the number of a list does. */
  readonly isFirst: boolean;
  /** Undefined where it is not known: then abbreviations of all languages count. */
  readonly language?: string | undefined;
}

const OPENERS = /^["'“‘「『（([«‹¿¡-]+/u;
/** Ends are looked for from their first character only: each run of them is read once. */
const CLOSERS = /(?<!["'”’」』）)\]»›])["'”’」』）)\]»›]+$/u;
const CASED = '[\\p{Script=Latin}\\p{Script=Cyrillic}\\p{Script=Greek}]';
/** J., U.S., p.m., Ph.D., z.B. */
const INITIALS = new RegExp(`^(?:${CASED}{1,3}\\.)+${CASED}{1,3}$|^${CASED}$`, 'u');
/** An ordinal (am 3. Oktober), the number of a list, a part of a date (2024. 3. 15.). */
const ORDINAL = /^(?:\d{1,4}|\d{1,2}\.\d{1,2})$/u;
const YEAR = /^\d{3,4}$/u;
/** Languages that write ordinals with a dot. */
const ORDINAL_DOTS = /^(?:de|da|no|nn|nb|sv|fi|et|lv|cs|sk|sl|hr|bs|sr|pl|hu|tr|is|ko)$/u;
const KOREAN_LIST_LETTER = /^[가나다라마바사차카타파]$/u;
const KOREAN_END = /[다요까죠네]$/u;

/** What was quoted goes on: "갈까요?" 라고 물었습니다, 「はい。」と言った. */
const QUOTATIVE = /^이?(?:라고|라는|라며|라면서)/u;
const JAPANESE_QUOTATIVE = /^(?:と|って)/u;

/**
 * Whether the marks at the end of a word end a sentence. A dot of an abbreviation, of initials, of an
 * ordinal or of a date does not, and nothing does before a lower-case letter; in doubt it is no end.
 */
export function endsSentence({ word, next, isFirst, language }: WordInText): boolean {
  const body = word.replace(CLOSERS, '');
  if (QUOTATIVE.test(next) || (body !== word && JAPANESE_QUOTATIVE.test(next))) return false;
  if (/[。！？｡]$/u.test(body)) return true;
  if (!/[.!?…]$/u.test(body) || /^\p{Ll}/u.test(next.replace(OPENERS, ''))) return false;
  if (/[!?]$/u.test(body)) return true;
  if (/(?:…|\.\.)$/u.test(body)) return endsAtEllipsis(body.replace(/(?<![.…])[.…]+$/u, ''));
  return endsAtDot({ word: body.slice(0, -1).replace(OPENERS, ''), next, isFirst, language });
}

/** In Korean a pause for thought, unless the word is the end of a sentence. */
const endsAtEllipsis = (word: string): boolean =>
  !/\p{Script=Hangul}$/u.test(word) ||
  koreanSentenceEnd(word) !== undefined ||
  KOREAN_END.test(word);

function endsAtDot({ word, next, isFirst, language }: WordInText): boolean {
  const { never, rarely, beforeNumber, starters } = abbreviationsOf(language);
  const lower = word.toLowerCase();
  const start = next.replace(OPENERS, '');
  const isStarter =
    /^\p{Lu}/u.test(start) && starters.has(start.toLowerCase().replace(/(?<!\P{L})\P{L}+$/u, ''));
  if (never.has(lower)) return false;
  if (beforeNumber.has(lower) && /^\d/.test(start)) return false;
  if (rarely.has(lower)) return isStarter;
  if (ORDINAL.test(word)) return !isFirst && endsAtNumber(word, start, { isStarter, language });
  if (isFirst && KOREAN_LIST_LETTER.test(word)) return false;
  if (INITIALS.test(word) && word !== 'I') return isStarter && !isFirst;
  return true;
}

function endsAtNumber(
  word: string,
  next: string,
  { isStarter, language }: { readonly isStarter: boolean; readonly language: string | undefined },
): boolean {
  if (ORDINAL_DOTS.test(language ?? 'de')) return isStarter && YEAR.test(word);
  return isStarter || (YEAR.test(word) && /^\p{Lu}/u.test(next));
}
