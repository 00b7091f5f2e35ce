import { type Piece, splitPunctuation } from '../pieces.ts';
import { isUnbroken } from './counted-number.ts';
import { startsWithCounter } from './counters.ts';
import { josaAfter } from './josa.ts';
import type { PhraseRule, Replacement } from './number-phrases.ts';
import { parseNumeral } from './parse-numeral.ts';

/** Nouns that a number without a counter follows: 버전 이 점 영. */
const BEFORE_VERSION =
  /^(?:버전|버젼|시즌|레벨|챕터|파트|옵션|플랜|페이즈|티어|게이트|파이썬|자바|노드|리액트|윈도우|안드로이드)$/u;
const DOTTED = /^([^점쩜]+)((?:[점쩜][영공일이삼사오육칠팔구십백]+)+)(.*)$/u;
const MAX_PIECES = 8;

/** 버전 이 점 영 → 버전 2.0, 시즌 삼 → 시즌 3. */
export const labelled: PhraseRule = (pieces, at) => {
  const before = pieces[at - 1]?.text ?? '';
  if (!BEFORE_VERSION.test(before)) return undefined;
  return longest(pieces, at, (core) => dotted(core)?.text) ?? plainLabel(pieces, at);
};

/** 삼 점 일사 → 3.14 without a counter, where it is no point of another kind: 백 점 이 학생. */
export const pointNumber: PhraseRule = (pieces, at) =>
  longest(pieces, at, (core, next) => {
    const found = dotted(core);
    if (!found || startsWithCounter(next)) return undefined;
    const { whole, fraction, tail } = found;
    if (/[십백]/u.test(fraction)) return undefined;
    const isShort = fraction.length === 1;
    if (isShort && (whole === '이' || whole === '오' || fraction === '이')) return undefined;
    return isShort && /^[일사오구]$/u.test(fraction) && tail === '' && next !== ''
      ? undefined
      : found.text;
  });

/** The number of most words for which `textOf` has digits. */
function longest(
  pieces: readonly Piece[],
  at: number,
  textOf: (core: string, next: string) => string | undefined,
): Replacement | undefined {
  for (let count = Math.min(MAX_PIECES, pieces.length - at); count > 0; count--) {
    const phrase = pieces.slice(at, at + count);
    if (!isUnbroken(phrase)) continue;
    const { core, mark } = splitPunctuation(phrase.map(({ text }) => text).join(''));
    const next = mark === '' ? (pieces[at + count]?.text ?? '') : '';
    const text = textOf(core, splitPunctuation(next).core);
    if (text !== undefined) return [{ count, text: text + mark }];
  }
  return undefined;
}

/** 이점영 → 2.0, 일점이점삼을 → 1.2.3을. */
function dotted(core: string) {
  const [, whole = '', spokenPoints = '', behind = ''] = DOTTED.exec(core) ?? [];
  // 팔이면 is 8 with 이면: few decimals have two digits and a particle.
  const isParticle =
    /[점쩜].이$/u.test(spokenPoints) &&
    behind !== '' &&
    josaAfter(spokenPoints.slice(0, -1)).has(`이${behind}`);
  const points = isParticle ? spokenPoints.slice(0, -1) : spokenPoints;
  const tail = isParticle ? `이${behind}` : behind;
  const value = wholeOf(whole);
  const fractions = points.split(/[점쩜]/u).slice(1);
  const last = fractions.at(-1);
  if (value === undefined || last === undefined) return undefined;
  // 일이 is twelve hundredths or a tenth with a particle.
  const isDoubtful = last.length > 1 && last.endsWith('이') && !/^[를는가로와의]/u.test(tail);
  if (isDoubtful || !josaAfter(last).has(tail)) return undefined;
  const digits = fractions.map((fraction) => digitsOf(fraction));
  if (digits.includes('')) return undefined;
  return { text: [value, ...digits].join('.') + tail, whole, fraction: fractions.join(''), tail };
}

/** 버전 삼 and 시즌 이, but not 버전 이 문제. */
function plainLabel(pieces: readonly Piece[], at: number): Replacement | undefined {
  const { core, mark } = splitPunctuation(pieces[at]!.text);
  for (let length = core.length; length > 0; length--) {
    const [words, tail] = [core.slice(0, length), core.slice(length)];
    const value = wholeOf(words);
    if (value === undefined || !josaAfter(words).has(tail)) continue;
    const isDoubtful = tail === '' && mark === '' && pieces[at + 1] !== undefined;
    return isDoubtful && words.endsWith('이')
      ? undefined
      : [{ count: 1, text: value + tail + mark }];
  }
  return undefined;
}

/** Of a Sino-Korean number in words. */
function wholeOf(words: string): string | undefined {
  const numeral = /\d/.test(words) ? undefined : parseNumeral(words);
  if (numeral === undefined || numeral.kind === 'native') return undefined;
  const isPlain = numeral.kind === 'sino' && !/[점쩜]/u.test(words);
  return isPlain ? numeral.digits : undefined;
}

const digitsOf = (words: string): string =>
  /[십백]/u.test(words) ? (parseNumeral(words)?.digits ?? '') : spelt(words);

const spelt = (words: string): string =>
  [...words]
    .map((word) => (word === '공' || word === '영' ? '0' : parseNumeral(word)!.digits))
    .join('');
