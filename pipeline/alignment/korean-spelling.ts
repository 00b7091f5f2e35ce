const FIRST_SYLLABLE = 0xac00;
const SYLLABLES = 11_172;
const CODAS = 28;

/**
 * Codas that sound alike at the end of a syllable, by their number: none, k, n, t, l, m, p, ng. The
 * first of each is the plain one.
 */
const CODA_SOUNDS: readonly (readonly number[])[] = [
  [0],
  [1, 2, 3, 9, 24],
  [4, 5, 6],
  [7, 19, 20, 22, 23, 25, 27],
  [8, 11, 12, 13, 15],
  [16, 10],
  [17, 14, 18, 26],
  [21],
];

/**
 * Syllables to try in the place of one that a vocabulary lacks, the nearest first: onset and vowel stay,
 * the coda becomes one that sounds alike, none, or any. Empty for what is no syllable.
 */
export function similarSyllables(character: string): string[] {
  const index = character.codePointAt(0)! - FIRST_SYLLABLE;
  if (index < 0 || index >= SYLLABLES) return [];
  const coda = index % CODAS;
  const alike = CODA_SOUNDS.find((codas) => codas.includes(coda))!;
  const any = Array.from({ length: CODAS }, (_, other) => other);
  return [...new Set([...alike, 0, ...any])]
    .filter((other) => other !== coda)
    .map((other) => String.fromCodePoint(FIRST_SYLLABLE + index - coda + other));
}

const LETTER_NAMES: Readonly<Record<string, string>> = {
  ...{ A: '에이', B: '비', C: '씨', D: '디', E: '이', F: '에프', G: '지', H: '에이치', I: '아이' },
  ...{ J: '제이', K: '케이', L: '엘', M: '엠', N: '엔', O: '오', P: '피', Q: '큐', R: '알' },
  ...{ S: '에스', T: '티', U: '유', V: '브이', W: '더블유', X: '엑스', Y: '와이', Z: '제트' },
};
/** Capitals that stand alone among Latin letters. */
const CAPITALS = /(?<![A-Za-z])[A-Z]+(?![A-Za-z])/g;
const LONGEST_SPELT = 3;

/**
 * Acronyms as their letters are called in Korean, AI → 에이아이; for timing, not for show. Those of four
 * letters and more with a vowel among them are mostly said as words (NASA) and stay as they are.
 */
export const acronymsToLetterNames = (text: string): string =>
  text.replace(CAPITALS, (acronym) => {
    const isWord = acronym.length > LONGEST_SPELT && /[AEIOU]/.test(acronym);
    return isWord ? acronym : [...acronym].map((letter) => LETTER_NAMES[letter]!).join('');
  });
