import { merged, type Piece } from './pieces.ts';

const CLOSING_MARKS = /^[.,!?;:…)\]}。、，！？]+$/u;
const OPENING_MARKS = /[([{]$/u;
/** A sentence mark between Hangul syllables had a space: "했어요.그래서". */
const MISSING_SPACE = /(?<=\p{Script=Hangul}[.!?,])(?=\p{Script=Hangul})/u;

/** Marks stand at their word, and a space behind a mark between Korean words. Composed (NFC). */
export function repairSpacing(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    const isDetached = CLOSING_MARKS.test(piece.text) || OPENING_MARKS.test(last?.text ?? '');
    if (last && piece.spaceBefore && isDetached) {
      result[result.length - 1] = merged([last, piece], last.text + piece.text.normalize('NFC'));
    } else result.push({ ...piece, text: piece.text.normalize('NFC') });
  }
  return result.flatMap(separated);
}

/** The text on both sides keeps the time of the whole, shared by length. */
function separated(piece: Piece): Piece[] {
  const parts = piece.text.split(MISSING_SPACE);
  let share = 0;
  return parts.map((text, index) => {
    const from = share;
    share += text.length / piece.text.length;
    return {
      text,
      spaceBefore: index > 0 || piece.spaceBefore,
      words: piece.words.map((word) => ({ ...word, range: partOf(word.range, from, share) })),
    };
  });
}

function partOf({ start, end }: { start: number; end: number }, from: number, to: number) {
  const at = (share: number): number => Math.round(start + (end - start) * share);
  return { start: at(from), end: at(to) };
}
