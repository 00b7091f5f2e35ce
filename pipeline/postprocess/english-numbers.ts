import { merged, type Piece, splitPunctuation } from './pieces.ts';

const ONES = [
  ...['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'],
  ...['eleven', 'twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen'],
  'nineteen',
];
const TENS = ['twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];
const LARGE: Readonly<Record<string, number>> = { thousand: 1e3, million: 1e6, billion: 1e9 };
const UNITS: Readonly<Record<string, string>> = { percent: '%', 'per cent': '%' };

/** Two words or more that are one number, or one before `percent`: twenty-five → 25. */
export function englishNumbersToDigits(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (let at = 0; at < pieces.length; ) {
    const { count, text } = longestNumber(pieces, at);
    result.push(count > 0 ? merged(pieces.slice(at, at + count), text) : pieces[at]!);
    at += Math.max(1, count);
  }
  return result;
}

function longestNumber(pieces: readonly Piece[], at: number) {
  const words: string[] = [];
  let mark = '';
  let count = 0;
  while (at + count < pieces.length && mark === '') {
    const piece = splitPunctuation(pieces[at + count]!.text);
    const parts = piece.core.toLowerCase().split('-');
    if (cardinalOf([...words, ...parts]) === undefined) break;
    words.push(...parts);
    mark = piece.mark;
    count += 1;
  }
  const value = cardinalOf(words);
  if (value === undefined) return { count: 0, text: '' };
  const unit = mark === '' ? splitPunctuation(pieces[at + count]?.text ?? '') : undefined;
  const symbol = UNITS[unit?.core.toLowerCase() ?? ''];
  const digits = value.toLocaleString('en-US');
  if (symbol !== undefined) return { count: count + 1, text: digits + symbol + unit!.mark };
  return words.length > 1 ? { count, text: digits + mark } : { count: 0, text: '' };
}

/** Undefined unless the words are the beginning or the whole of one cardinal number. */
function cardinalOf(words: readonly string[]): number | undefined {
  let total = 0;
  let group = 0;
  let lastLarge = Infinity;
  let smallest = Infinity;
  for (const word of words) {
    const large = LARGE[word];
    const small = smallValue(word);
    if (large !== undefined) {
      if (group === 0 || large >= lastLarge) return undefined;
      total += group * large;
      [group, lastLarge, smallest] = [0, large, Infinity];
    } else if (word === 'hundred') {
      if (group < 1 || group > 9) return undefined;
      [group, smallest] = [group * 100, 100];
    } else if (small !== undefined && small < smallest && (small > 0 || words.length === 1)) {
      group += small;
      smallest = small >= 20 ? 10 : 1;
    } else return undefined;
  }
  return words.length === 0 ? undefined : total + group;
}

function smallValue(word: string): number | undefined {
  const one = ONES.indexOf(word);
  if (one >= 0) return one;
  const ten = TENS.indexOf(word);
  return ten >= 0 ? (ten + 2) * 10 : undefined;
}
