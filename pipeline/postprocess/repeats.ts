import { SINO_DIGITS } from './korean/number-words.ts';
import { merged, type Piece, splitPunctuation } from './pieces.ts';

/** Fewer may be emphasis: 네 네, very very. */
const MIN_REPEATS = 3;
/** A syllable three times and more at the start of a word, or as all of it. */
const STUTTER = /^(\p{L})\1{2,}/u;
/** Syllables in which people hesitate; others are repeated for their sound: 똑똑똑, 하하하, ㅠㅠㅠ. */
const HESITANT = new Set([...'그저제이어음아으에뭐막또왜안네예응자우내근']);
const SOUND =
  /^[하호히허흐헤후크킥킬낄깔까꺄똑딱쿵쾅쿡콕콩짝둥딩댕땡빵뿅뿡펑퐁멍왈야음냠쩝쪽쓱슥싹삐뚜따띠라랄룰\u3131-\u318e]$/u;
/** Digits are dictated one by one: 오 오 오, five five five. */
const ENGLISH_DIGITS = new Set(
  'zero oh one two three four five six seven eight nine double triple'.split(' '),
);
const DIGITS_ONLY = new RegExp(`^[\\d${Object.keys(SINO_DIGITS).join('')}]+$`, 'u');

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
  if (said === '' || DIGITS_ONLY.test(said) || ENGLISH_DIGITS.has(said)) return count;
  while (splitPunctuation(pieces[at + count]?.text ?? '').core.toLowerCase() === said) count++;
  return count;
}

/** 그그그 → 그, 회회회의 → 회의; what may be digits or a sound stays. */
function withoutStutter(text: string): string {
  const [run = '', syllable = ''] = STUTTER.exec(text) ?? [];
  if (run === '' || DIGITS_ONLY.test(syllable) || !/\p{Script=Hangul}/u.test(syllable)) return text;
  const isAlone = splitPunctuation(text).core === run;
  const isStutter = isAlone ? HESITANT.has(syllable) : !SOUND.test(syllable);
  return isStutter ? syllable + text.slice(run.length) : text;
}
