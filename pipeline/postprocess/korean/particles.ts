import { merged, type Piece, splitPunctuation } from '../pieces.ts';
import { endsInConsonant, isHangulSyllable, takesEuro } from './hangul.ts';

type Rule = (noun: string) => boolean;

const afterConsonant: Rule = (noun) => endsInConsonant(noun) === true;
const afterVowel: Rule = (noun) => endsInConsonant(noun) === false;
const afterHangul: Rule = (noun) => isHangulSyllable(noun.at(-1));

/**
 * Particles that are no word of their own in any other sense, with the form that their noun asks
 * for (한글 맞춤법 41항: 조사는 그 앞말에 붙여 쓴다). 은 (silver), 이 (this), 가 (go), 과, 와, 도, 만,
 * 보다, 밖에 may be words and stay.
 */
const PARTICLES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['을', afterConsonant],
  ['를', afterVowel],
  ['는', afterVowel],
  ['의', afterHangul],
  ['에', afterHangul],
  ['에서', afterHangul],
  ['에서는', afterHangul],
  ['에서도', afterHangul],
  ['에는', afterHangul],
  ['에도', afterHangul],
  ['에게', afterHangul],
  ['에게서', afterHangul],
  ['으로', (noun) => takesEuro(noun) === true],
  ['으로는', (noun) => takesEuro(noun) === true],
  ['으로써', (noun) => takesEuro(noun) === true],
  ['으로서', (noun) => takesEuro(noun) === true],
  ['까지', afterHangul],
  ['까지는', afterHangul],
  ['부터', afterHangul],
  ['부터는', afterHangul],
  ['처럼', afterHangul],
  ['조차', afterHangul],
  ['마저', afterHangul],
  ['한테', afterHangul],
  ['한테서', afterHangul],
  ['께서', afterHangul],
  ['께서는', afterHangul],
  ['이랑', afterConsonant],
  ['이라도', afterConsonant],
  ['입니다', afterHangul],
]);

/** Sets a particle that stands alone back to the noun before it. */
export function attachParticles(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const noun = result.at(-1);
    const rule = PARTICLES.get(splitPunctuation(piece.text).core);
    if (noun && rule?.(noun.text)) {
      result[result.length - 1] = merged([noun, piece], noun.text + piece.text);
    } else result.push(piece);
  }
  return result;
}
