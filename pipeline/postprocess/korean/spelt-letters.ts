import { splitPunctuation } from '../pieces.ts';
import { josaAfter } from './josa.ts';
import { LETTER_NAMES } from './latin-readings.ts';
import type { PhraseRule } from './number-phrases.ts';

const NAMES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(LETTER_NAMES).map(([letter, name]) => [name, letter])),
  ...{ 씨: 'C', 에이취: 'H', 아르: 'R', 더블류: 'W', 제이: 'J', 엑스: 'X' },
};
/** English numerals behind letters: 엠피쓰리, 에스원. */
const ENGLISH_NUMERALS: Readonly<Record<string, string>> = {
  ...{
    원: '1',
    투: '2',
    쓰리: '3',
    포: '4',
    파이브: '5',
    식스: '6',
    세븐: '7',
    에잇: '8',
    나인: '9',
  },
};
const LONGEST_NAME = 4;

/** Names that are hardly anything but a letter; 이, 오, 유, 지 and the like are syllables of words. */
const CLEAR = /^[AFHJKLMNQSVWXYZ]$/;
/** Words that are letters by chance, or have become words; 이제이 and 엔이 are words with particles. */
const OTHER_WORDS =
  /^(?:오케이|에이지|케이지|엔지|엔드|엑스포|에이스|아이엔|(?:에이)+|이이제이|[이시비지피티디오]엔|케이오)$/u;
/** Known ones all of whose letters are syllables of words, and codes of one letter. */
const KNOWN: Readonly<Record<string, string>> = {
  ...{
    티비: 'TV',
    피씨: 'PC',
    씨디: 'CD',
    씨씨티비: 'CCTV',
    지디피: 'GDP',
    피디: 'PD',
    피피티: 'PPT',
  },
  ...{ 오티티: 'OTT', 에이포: 'A4', 에이쓰리: 'A3', 비파이브: 'B5' },
  ...{ 쓰리디: '3D', 투디: '2D', 포케이: '4K', 지세븐: 'G7', 원플러스원: '1+1', 포디: '4D' },
};

/** 에스케이는 → SK는, 엠피쓰리 → MP3: Latin letters by their Korean names, two and more, as one word. */
export const speltLetters: PhraseRule = (pieces, at) => {
  const { core, mark } = splitPunctuation(pieces[at]!.text);
  for (let length = core.length; length > 1; length--) {
    const [word, tail] = [core.slice(0, length), core.slice(length)];
    if (!josaAfter(word).has(tail)) continue;
    const letters = KNOWN[word] ?? (OTHER_WORDS.test(word) ? undefined : lettersOf(word));
    if (letters !== undefined) return [{ count: 1, text: letters + tail + mark }];
  }
  return undefined;
};

/** 유제이 is 유제 with a particle; 디제이 and 씨제이 are letters. */
const isTense = (word: string, [first = '']: readonly string[]): boolean =>
  word.endsWith('제이') && !CLEAR.test(first) && !/^[디씨]/u.test(word);

function lettersOf(word: string): string | undefined {
  const letters: string[] = [];
  for (let at = 0; at < word.length; ) {
    const found = nameAt(word, at);
    if (found === undefined) {
      const numeral = letters.length > 1 ? ENGLISH_NUMERALS[word.slice(at)] : undefined;
      return numeral !== undefined && letters.some((letter) => CLEAR.test(letter))
        ? letters.join('') + numeral
        : undefined;
    }
    letters.push(found.letter);
    at += found.length;
  }
  const isShort = letters.length === 2 && (letters.includes('E') || isTense(word, letters));
  return letters.length > 1 && !isShort && letters.some((letter) => CLEAR.test(letter))
    ? letters.join('')
    : undefined;
}

/** The longest name that begins there: 에이치 before 에이. */
function nameAt(word: string, at: number) {
  for (let length = LONGEST_NAME; length > 0; length--) {
    const letter = NAMES[word.slice(at, at + length)];
    if (letter !== undefined && at + length <= word.length) return { letter, length };
  }
  return undefined;
}
