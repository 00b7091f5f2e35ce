import { merged, type Piece, splitPunctuation } from '../pieces.ts';
import { endsInConsonant, takesEuro } from './hangul.ts';
import { mayBeNoun } from './not-nouns.ts';

/**
 * Particles that are no word of their own in any other sense (한글 맞춤법 41항: 조사는 그 앞말에 붙여
 * 쓴다), by the noun that they follow. 은 (silver), 이 (this), 가 (go), 과, 와, 도, 만, 보다, 밖에 and 마저
 * may be words, and 에 is a hesitation as often: they stay.
 */
const AFTER_ANY = new Set(
  `의 에서 에서는 에서도 에서의 에는 에도 에게 에게는 에게도 에게서 까지 까지는 까지도 까지만 부터 부터는 부터의
   처럼 조차 한테 한테는 한테서 께서 께서는 께서도 으로써 으로서 마다 입니다 이었습니다`
    .trim()
    .split(/\s+/),
);
const AFTER_CONSONANT = new Set(['을', '이랑', '이라도', '이라는', '이라고']);
const AFTER_VOWEL = new Set(['를', '는', '라는', '랑', '였습니다']);
const EURO = new Set(['으로', '으로는', '으로도']);
const RO = new Set(['로', '로는', '로도', '로서', '로써']);

/** Latin letters and digits are read in ways that only their writer knows: either form may follow. */
const OTHER_NOUN = /[\p{Script=Latin}\d%]$/u;

function follows(noun: string, particle: string): boolean {
  if (OTHER_NOUN.test(noun)) return isParticle(particle) && particle !== '로';
  const isConsonant = endsInConsonant(noun);
  if (isConsonant === undefined || !mayBeNoun(noun)) return false;
  if (AFTER_ANY.has(particle)) return true;
  if (EURO.has(particle)) return takesEuro(noun) === true;
  if (RO.has(particle)) return takesEuro(noun) === false;
  return isConsonant ? AFTER_CONSONANT.has(particle) : AFTER_VOWEL.has(particle);
}

const isParticle = (word: string): boolean =>
  [AFTER_ANY, AFTER_CONSONANT, AFTER_VOWEL, EURO, RO].some((words) => words.has(word));

/** Sets a particle that stands alone back to the noun before it; in doubt it stays where it is. */
export function attachParticles(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const noun = result.at(-1);
    const isDetached =
      noun !== undefined &&
      piece.spaceBefore &&
      follows(noun.text, splitPunctuation(piece.text).core);
    if (isDetached) {
      result[result.length - 1] = merged([noun, piece], noun.text + piece.text);
    } else result.push(piece);
  }
  return result;
}
