import type { SampleRange } from '../../audio/time.ts';
import type { Word } from '../contracts.ts';
import { koreanSentenceEnd } from './korean/sentence-ends.ts';
import type { Piece } from './pieces.ts';

const CLOSING_MARKS = /^[.,!?;:…)\]}。、，！？]+$/u;
const OPENING_MARKS = /^[([{「『]+$/u;
/** A mark between Hangul syllables mostly had a space: "했어요.그래서", "서울,부산". */
const MISSING_SPACE = /(?<=\p{Script=Hangul}(?:[.!?]["'”’]?|,))(?=\p{Script=Hangul})/u;
/** Answers of a syllable, which end a sentence as well: "네.그렇습니다". */
const ANSWER = /^(?:네|예|응|아니요|아뇨)$/u;

/**
 * Marks stand at their word, without time of their own, and a space behind a mark between Korean
 * sentences. Composed (NFC). What may be otherwise on purpose stays: 초.중.고, 3.5배.
 */
export function repairSpacing(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  let opening: Piece | undefined;
  for (const raw of pieces.flatMap(separated)) {
    const piece = opening ? withOpening(opening, raw) : raw;
    opening = undefined;
    const last = result.at(-1);
    if (last && piece.spaceBefore && CLOSING_MARKS.test(piece.text)) {
      result[result.length - 1] = withMark(last, piece);
    } else if (OPENING_MARKS.test(piece.text)) opening = piece;
    else result.push(piece);
  }
  return opening ? [...result, opening] : result;
}

/** A mark would stretch its word into the pause; alone it has its time. */
const withMark = (word: Piece, mark: Piece): Piece => ({
  ...word,
  text: word.text + mark.text,
  words: word.words.length > 0 ? word.words : mark.words,
});

const withOpening = (mark: Piece, word: Piece): Piece => ({
  text: mark.text + word.text,
  spaceBefore: mark.spaceBefore,
  words: word.words.length > 0 ? word.words : mark.words,
});

/** The text on both sides keeps the time of the whole, shared by length. */
function separated(piece: Piece): Piece[] {
  const text = piece.text.normalize('NFC');
  const parts = partsOf(text);
  if (parts.length === 1) return [{ ...piece, text }];
  let share = 0;
  return parts.map((part, index) => {
    const from = share;
    share += part.length / text.length;
    return {
      text: part,
      spaceBefore: index > 0 || piece.spaceBefore,
      words: partOf(piece.words, from, share),
    };
  });
}

/** Cut behind commas and where a sentence ends; other dots between syllables join: 시.도, 국.영.수. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  for (const part of text.split(MISSING_SPACE)) {
    const last = parts.at(-1);
    if (last === undefined || mayEnd(last)) parts.push(part);
    else parts[parts.length - 1] = last + part;
  }
  return parts;
}

function mayEnd(part: string): boolean {
  if (part.endsWith(',')) return true;
  const word = part.replace(/(?<![.!?"'”’])[.!?"'”’]+$/u, '');
  return koreanSentenceEnd(word) !== undefined || ANSWER.test(word);
}

function partOf(words: readonly Word[], from: number, to: number): readonly Word[] {
  const [first] = words;
  if (!first) return [];
  const whole: SampleRange = { start: first.range.start, end: words.at(-1)!.range.end };
  const at = (share: number): number =>
    Math.round(whole.start + (whole.end - whole.start) * Math.min(1, share));
  const confidence = words.reduce((sum, word) => sum + word.confidence, 0) / words.length;
  return [{ ...first, range: { start: at(from), end: at(to) }, confidence }];
}
