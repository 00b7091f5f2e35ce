import {
  LARGE_UNITS,
  NATIVE_ONES,
  NATIVE_TENS,
  NATIVE_TWENTY,
  SINO_DIGITS,
  SMALL_UNITS,
} from './number-words.ts';

export interface Numeral {
  readonly value: number;
  readonly kind: 'native' | 'sino' | 'digits';
  /** As it would be written without grouping; `digits` keeps leading zeros. */
  readonly digits: string;
}

const LARGEST_GROUP = 9999;

/** A Korean numeral without spaces: 스물세, 삼만오천, 3만5천, 삼점일사, 백열두, 이공이육; else undefined. */
export function parseNumeral(text: string): Numeral | undefined {
  if (text === '영') return numeral(0, 'sino');
  return (
    parseNative(text) ??
    parseDecimal(text) ??
    parseSino(text) ??
    parseMixed(text) ??
    parseDigits(text)
  );
}

function parseNative(text: string): Numeral | undefined {
  if (text === NATIVE_TWENTY) return numeral(20, 'native');
  const ten = Object.keys(NATIVE_TENS).find((word) => text.startsWith(word));
  const rest = ten === undefined ? text : text.slice(ten.length);
  const one = rest === '' ? 0 : NATIVE_ONES[rest];
  if (one === undefined || text === '') return undefined;
  return numeral((ten === undefined ? 0 : NATIVE_TENS[ten]!) + one, 'native');
}

/** Hundreds are Sino-Korean before native tens and ones: 백스물세 명. Others make words: 귀천한, 만한. */
function parseMixed(text: string): Numeral | undefined {
  const [, hundreds = '', rest = ''] =
    /^([이삼사오육칠팔구]?백)([^백천만억조]+)$/u.exec(text) ?? [];
  const [large, small] = [parseSino(hundreds), parseNative(rest)];
  return large && small && numeral(large.value + small.value, 'native');
}

function parseDecimal(text: string): Numeral | undefined {
  const [whole, fraction, ...more] = text.split(/[점쩜]/u);
  if (!whole || !fraction || more.length > 0) return undefined;
  const value = SINO_DIGITS[whole] ?? parseSino(whole)?.value;
  const decimals = parseDigits(fraction)?.digits;
  if (value === undefined || decimals === undefined) return undefined;
  const digits = `${value}.${decimals}`;
  return { value: Number(digits), kind: 'sino', digits };
}

/** Positional: units fall from left to right, a digit stands only before a unit or at the end. */
function parseSino(text: string): Numeral | undefined {
  let total = 0;
  let lastLarge = Infinity;
  let rest = text;
  while (rest !== '') {
    const [, group = '', unit = ''] = /^([^만억조]*)([만억조]?)/u.exec(rest)!;
    const large = unit === '' ? 1 : LARGE_UNITS[unit]!;
    // 만 is ten thousand of itself, 억 and 조 are not: 억만장자.
    const small = group !== '' ? parseGroup(group) : unit === '만' ? 1 : undefined;
    if (small === undefined || small > LARGEST_GROUP || large >= lastLarge) return undefined;
    total += small * large;
    lastLarge = large;
    rest = rest.slice(group.length + unit.length);
  }
  return text === '' ? undefined : numeral(total, 'sino');
}

/** Below 10,000: 삼천오백, 3천, 35. */
function parseGroup(group: string): number | undefined {
  let sum = 0;
  let lastUnit = Infinity;
  for (const [, digit = '', unitWord = ''] of group.matchAll(/(\d+|[^십백천\d]*)([십백천]?)/gu)) {
    if (digit === '' && unitWord === '') continue;
    const unit = unitWord === '' ? 1 : SMALL_UNITS[unitWord]!;
    const factor = digit === '' ? 1 : /^\d+$/.test(digit) ? Number(digit) : SINO_DIGITS[digit];
    if (factor === undefined || factor === 0 || unit >= lastUnit) return undefined;
    if (factor > 9 && unit > 1) return undefined;
    sum += factor * unit;
    lastUnit = unit;
  }
  return sum;
}

/** Read digit by digit: what years, rooms and telephones are. */
function parseDigits(text: string): Numeral | undefined {
  const digits = [...text].map((character) => SINO_DIGITS[character]);
  if (digits.length === 0 || digits.includes(undefined)) return undefined;
  const written = digits.join('');
  return { value: Number(written), kind: 'digits', digits: written };
}

const numeral = (value: number, kind: Numeral['kind']): Numeral => ({
  value,
  kind,
  digits: String(value),
});
