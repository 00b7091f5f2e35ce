import type { CtcVocabulary } from '../contracts.ts';
import { koreanDigitsToWords } from '../postprocess/korean/digits-to-words.ts';
import { STAR } from './ctc-viterbi.ts';
import { englishDigitsToWords } from './english-numerals.ts';
import { acronymsToLetterNames, similarSyllables } from './korean-spelling.ts';

/** A text as a CTC model would spell it. */
export interface CtcUnits {
  readonly targets: Int32Array;
  /** Word of each unit; −1 for what stands between words. */
  readonly wordOf: Int32Array;
  readonly optional: Uint8Array;
}

/** How digits, symbols and acronyms are read; those of other languages are wildcards. */
const SPOKEN_FORMS: Readonly<Record<string, (text: string) => string>> = {
  en: englishDigitsToWords,
  ko: (text) => koreanDigitsToWords(acronymsToLetterNames(text)),
};

/** Marks on a letter, such as Arabic vowels, have no sound of their own. */
const SPOKEN = /[\p{L}\p{N}%$€£₩¥&+]/u;
/** Compatibility jamo by the number of the conjoining ones: what some Korean vocabularies hold. */
const ONSETS = 'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ';
const CODAS = 'ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ';
const FIRST_ONSET = 0x1100;
const FIRST_VOWEL = 0x1161;
const FIRST_CODA = 0x11a8;
const FIRST_COMPATIBILITY_VOWEL = 0x314f;

/**
 * The units of `words`: characters as the vocabulary has them, Hangul as syllables or as jamo, what it
 * lacks as one `STAR` per stretch; for a syllable that it lacks, one that sounds much the same. Marks have no units. Words are separated by the delimiter, where
 * the model knows one and the text has a space; it may be left out.
 */
export function ctcUnits(
  words: readonly { readonly text: string; readonly spaceBefore: boolean }[],
  vocabulary: CtcVocabulary,
  language: string,
): CtcUnits {
  const targets: number[] = [];
  const wordOf: number[] = [];
  const speller = new Speller(vocabulary.classOf, language);
  for (const [word, { text, spaceBefore }] of words.entries()) {
    const units = unitsOf(SPOKEN_FORMS[language]?.(text) ?? text, speller);
    if (units.length === 0) continue;
    if (spaceBefore && targets.length > 0 && vocabulary.delimiterId !== null) {
      targets.push(vocabulary.delimiterId);
      wordOf.push(-1);
    }
    for (const unit of units) {
      targets.push(unit);
      wordOf.push(word);
    }
  }
  return {
    targets: Int32Array.from(targets),
    wordOf: Int32Array.from(wordOf),
    optional: Uint8Array.from(wordOf, (word) => Number(word < 0)),
  };
}

function unitsOf(spoken: string, speller: Speller): number[] {
  const units: number[] = [];
  for (const character of spoken.normalize('NFC')) {
    const found = speller.classesOf(character);
    if (found !== undefined) units.push(...found);
    else if (SPOKEN.test(character) && units.at(-1) !== STAR) units.push(STAR);
  }
  return units;
}

/** Remembers how a text's characters are spelt: there are few of them. */
class Speller {
  readonly #classOf: CtcVocabulary['classOf'];
  readonly #language: string;
  readonly #known = new Map<string, readonly number[] | undefined>();

  constructor(classOf: CtcVocabulary['classOf'], language: string) {
    this.#classOf = classOf;
    this.#language = language;
  }

  classesOf(character: string): readonly number[] | undefined {
    if (this.#known.has(character)) return this.#known.get(character);
    const classes = classesOf(character, this.#classOf, this.#language);
    this.#known.set(character, classes);
    return classes;
  }
}

/** The classes of one character in the first spelling that the vocabulary holds. */
function classesOf(
  character: string,
  classOf: CtcVocabulary['classOf'],
  language: string,
): readonly number[] | undefined {
  if (/\s/.test(character)) return undefined;
  const simple = character.normalize('NFKC');
  const plain = simple.normalize('NFD').replace(/\p{M}/gu, '');
  const spellings = [character, simple].flatMap((form) => [
    [form],
    // In the language's own way first: a Turkish I is no i.
    [...form.toLocaleLowerCase(language)],
    [...form.toLocaleUpperCase(language)],
    [...form.toLowerCase()],
    [...form.toUpperCase()],
  ]);
  const jamo = [...simple.normalize('NFD')];
  const parts = [
    jamo,
    jamo.map(compatibilityJamo),
    [...plain.toLowerCase()],
    [...plain.toUpperCase()],
    ...similarSyllables(simple).map((syllable) => [syllable]),
  ];
  for (const spelling of [...spellings, ...parts]) {
    const classes = spelling.map((part) => classOf.get(part));
    if (classes.length > 0 && classes.every((id) => id !== undefined)) return classes;
  }
  return undefined;
}

function compatibilityJamo(jamo: string): string {
  const code = jamo.codePointAt(0)!;
  if (code >= FIRST_CODA && code < FIRST_CODA + CODAS.length) return CODAS[code - FIRST_CODA]!;
  if (code >= FIRST_VOWEL && code <= FIRST_VOWEL + 20) {
    return String.fromCodePoint(FIRST_COMPATIBILITY_VOWEL + code - FIRST_VOWEL);
  }
  return ONSETS[code - FIRST_ONSET] ?? jamo;
}
