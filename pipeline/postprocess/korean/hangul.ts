/** Hangul syllables are arithmetic: ((onset × 21) + vowel) × 28 + coda + U+AC00 (Unicode 3.12). */
const FIRST_SYLLABLE = 0xac00;
const LAST_SYLLABLE = 0xd7a3;
const CODAS = 28;
const RIEUL_CODA = 8;

const isHangulSyllable = (character: string | undefined): boolean => {
  const code = character?.codePointAt(0) ?? 0;
  return code >= FIRST_SYLLABLE && code <= LAST_SYLLABLE;
};

const codaOf = (syllable: string): number =>
  isHangulSyllable(syllable) ? (syllable.codePointAt(0)! - FIRST_SYLLABLE) % CODAS : 0;

/** Whether the last syllable of a Hangul word ends in a consonant; undefined for other scripts. */
export function endsInConsonant(word: string): boolean | undefined {
  const last = word.at(-1);
  return isHangulSyllable(last) ? codaOf(last!) !== 0 : undefined;
}

/** As `endsInConsonant`, but ㄹ counts as none: the rule of the particle 로. */
export const takesEuro = (word: string): boolean | undefined => {
  const consonant = endsInConsonant(word);
  return consonant === undefined ? undefined : consonant && codaOf(word.at(-1)!) !== RIEUL_CODA;
};

/** The letters of a word: Hangul syllables as jamo, everything else in lower case. */
export const jamoOf = (word: string): string => word.normalize('NFD').toLowerCase();
