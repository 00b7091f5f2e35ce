import { merged, type Piece, splitPunctuation } from './pieces.ts';

/** Fewer may be emphasis: 네 네, very very. */
const MIN_REPEATS = 3;
/** Syllables that are written several times: laughter, and counting aloud. */
const LAUGHTER = /^[하호히허흐ㅋㅎ]$/u;
const STUTTER = /(\p{Script=Hangul})\1{2,}/gu;

/** A syllable stuttered three times or more, and a word said three times or more, stand once. */
export function collapseRepeats(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (let at = 0; at < pieces.length; ) {
    const count = repeatsAt(pieces, at);
    const run = pieces.slice(at, at + count);
    const said = run.at(-1)!.text;
    if (count >= MIN_REPEATS) result.push(merged(run, withoutStutter(said)));
    else result.push(...run.map((piece) => ({ ...piece, text: withoutStutter(piece.text) })));
    at += count;
  }
  return result;
}

function repeatsAt(pieces: readonly Piece[], at: number): number {
  const said = splitPunctuation(pieces[at]!.text).core.toLowerCase();
  let count = 1;
  if (said === '' || /\d/.test(said)) return count;
  while (splitPunctuation(pieces[at + count]?.text ?? '').core.toLowerCase() === said) count++;
  return count;
}

const withoutStutter = (text: string): string =>
  text.replace(STUTTER, (run: string, syllable: string) =>
    LAUGHTER.test(syllable) ? run : syllable,
  );
