import { merged, type Piece, splitPunctuation } from '../pieces.ts';
import { readAmount, readRange, type Surroundings } from './count-readings.ts';
import { COUNTERS, LONGEST_COUNTER, mayEndIn, startsWithCounter } from './counters.ts';
import { readWritten } from './written-forms.ts';

/** What is no speech but an address. */
const ADDRESS = /\S*(?:@|:\/\/|www\.|\.(?:com|net|org|io|co|kr)\b)\S*/gu;

const NUMBER = '\\d+(?:,\\d{3})*(?:\\.\\d+)?';
const WITH_UNIT = `${NUMBER}(?:[십백천]?[만억조]|[십백천])`;
/** 12억 3456만 7898: a plain number goes on only where it fills its group. */
const CHAIN = `${WITH_UNIT}(?: ?${WITH_UNIT})*(?: ?\\d{3,4}(?!\\d))?`;
const AMOUNT = `${CHAIN}|${NUMBER}`;
const COUNTED = new RegExp(
  `(?<![\\d\\p{Script=Latin}])(?:(${AMOUNT})( ?[~∼〜–-] ?|에서 ))?(${AMOUNT})(?![\\d\\p{Script=Latin}])( ?)(\\p{Script=Hangul}*)`,
  'gu',
);

/** Digits as they are read, by the counter behind them: 35,000원 → 삼만 오천 원, 3시 → 세 시. */
export const koreanDigitsToWords = (text: string): string =>
  readText(text, { before: '', after: '' });

function readText(text: string, around: Surroundings): string {
  if (!/\d/.test(text)) return text;
  let result = '';
  let end = 0;
  for (const address of text.matchAll(ADDRESS)) {
    result += readPart(text.slice(end, address.index), around) + address[0];
    end = address.index + address[0].length;
  }
  return result + readPart(text.slice(end), around);
}

function readPart(part: string, around: Surroundings): string {
  const text = readWritten(part).replace(/(?<=[\p{Script=Hangul}%]) ?[~∼〜–] ?(?=\d)/gu, '에서 ');
  return text.replace(COUNTED, (found: string, ...rest: unknown[]) => {
    const [from, dash, to, gap, word] = rest.map((group) =>
      typeof group === 'string' ? group : '',
    );
    const offset = rest.findIndex((group) => typeof group === 'number');
    const at = Number(rest[offset]);
    const before = at === 0 ? around.before : text.slice(0, at);
    const [counter, tail] = splitCounter(word!);
    const behind = text.slice(at + found.length);
    const context = { before, after: tail + (behind === '' ? around.after : behind) };
    const number =
      from === ''
        ? readAmount(to!, counter, context)
        : readRange([from!, dash!, to!], counter, context);
    // 제- is a prefix; any other word is set apart.
    const space =
      at > 0 && /[\p{Script=Hangul}]$/u.test(before) && !before.endsWith('제') ? ' ' : '';
    const isSuffix =
      (counter === '대' && gap === '' && /[만억조]$/u.test(to!)) ||
      (counter === '분' && tail === '의' && /^ ?\d/.test(behind || around.after));
    if (counter === '' || isSuffix) return `${space}${number}${gap}${word}`;
    return space + number + withCounter(number, counter, tail);
  });
}

/** 유월 and 시월 are one word, other counters words of their own (한글 맞춤법 43항). */
const withCounter = (number: string, counter: string, tail: string): string =>
  `${counter === '월' && /(?:^|\s)[유시]$/u.test(number) ? '' : ' '}${counter}${tail}`;

/** The longest counter at the start of a word that may end as it does. */
function splitCounter(word: string): readonly [string, string] {
  for (let length = Math.min(LONGEST_COUNTER, word.length); length > 0; length--) {
    const [counter, tail] = [word.slice(0, length), word.slice(length)];
    if (COUNTERS.has(counter) && mayEndIn(counter, tail)) return [counter, tail];
  }
  return ['', ''];
}

const MAX_PIECES = 4;
/** Numbers that are written in several words, with what may follow in the last. */
const SPREAD = [
  /^0\d{1,2} \d{3,4} \d{4}(?!\d)\D*$/u,
  /^\d{4}\. \d{1,2}\. \d{1,2}\.?(?!\d)\D*$/u,
  new RegExp(`^(?:${CHAIN})\\D*$`, 'u'),
  /^\d{1,3} 대 \d{1,3}(?!\d)\D*$/u,
  /^[\d.,]+에서 \d[\d.,]*\D*$/u,
  /^\d{1,2}\.\d{1,2} (?:절|운동|혁명|전쟁|민주|사변|사태)/u,
];

/** As above for pieces; a counter in the next word is part of the number. */
export function koreanDigitsToWordsIn(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (let at = 0; at < pieces.length; ) {
    const count = spreadAt(pieces, at);
    const phrase = pieces.slice(at, at + count);
    const [previous, next] = [pieces[at - 1], pieces[at + count]];
    const read = readText(phrase.map(({ text }) => text).join(' '), {
      before: previous ? `${previous.text} ` : '',
      after: next ? ` ${next.text}` : '',
    });
    // The last dot of a date belongs to its day: 2024. 3. 15. 회의.
    const isInside = count > 1 && next !== undefined && /\d\.$/u.test(phrase.at(-1)!.text);
    result.push(merged(phrase, isInside ? read.replace(/\.$/u, '') : read));
    at += count;
  }
  return result;
}

function spreadAt(pieces: readonly Piece[], at: number): number {
  if (!/^\d/.test(pieces[at]!.text)) return 1;
  for (let count = Math.min(MAX_PIECES, pieces.length - at); count > 1; count--) {
    const texts = pieces.slice(at, at + count).map(({ text }) => text);
    const last = texts.at(-1)!;
    const isCounted =
      /\d[십백천만억조]*$/u.test(texts.at(-2)!) && startsWithCounter(splitPunctuation(last).core);
    const head = isCounted ? texts.slice(0, -1) : texts;
    const isWhole = head.length === 1 || SPREAD.some((form) => form.test(head.join(' ')));
    if (isWhole && (isCounted || head.length > 1)) return count;
  }
  return 1;
}
