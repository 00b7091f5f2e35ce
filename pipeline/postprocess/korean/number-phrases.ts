import { type Piece, splitPunctuation } from '../pieces.ts';
import { mayEndIn, startsWithCounter } from './counters.ts';
import { josaAfter } from './josa.ts';
import { NATIVE_NOUNS } from './number-words.ts';
import { parseNumeral } from './parse-numeral.ts';
import { writeDigits } from './write-numeral.ts';

/** What takes the place of so many pieces, one after another. */
export type Replacement = readonly { readonly count: number; readonly text: string }[];

export type PhraseRule = (pieces: readonly Piece[], at: number) => Replacement | undefined;

interface Part {
  readonly value: number;
  readonly tail: string;
}

/** 삼분의 일 → 3분의 1. 이분의 일 may be this person's matter and stays. */
export const fraction: PhraseRule = (pieces, at) => {
  const [first = '', second = ''] = [at, at + 1].map((index) => pieces[index]?.text ?? '');
  const isSplit = second === '분의';
  const denominator = isSplit ? first : /^(.+)분의$/u.exec(first)?.[1];
  const index = at + (isSplit ? 2 : 1);
  const last = pieces[index];
  if (denominator === undefined || denominator === '이' || last === undefined) return undefined;
  const whole = parseNumeral(denominator);
  const { core, mark } = splitPunctuation(last.text);
  const part = fractionPart(core, whole?.value ?? 0);
  if (whole?.kind !== 'sino' || whole.value < 2 || /^\d+$|^만$/.test(denominator) || !part) {
    return undefined;
  }
  const isNext = mark === '' && part.tail === '' && pieces[index + 1] !== undefined;
  if (isNext && (startsWithCounter(pieces[index + 1]!.text) || (core === '이' && isSplit))) {
    return undefined;
  }
  return [
    { count: isSplit ? 2 : 1, text: `${writeDigits(whole.value)}분의` },
    { count: 1, text: `${writeDigits(part.value)}${part.tail}${mark}` },
  ];
};

/** The longest numeral below the denominator: 일이 is one with a particle, 십이 is twelve. */
export function fractionPart(core: string, denominator: number): Part | undefined {
  for (let length = core.length; length > 0; length--) {
    const [words, tail] = [core.slice(0, length), core.slice(length)];
    const numeral = parseNumeral(words);
    const isPart = numeral?.kind === 'sino' && numeral.value > 0 && numeral.value < denominator;
    if (isPart && josaAfter(words).has(tail)) return { value: numeral.value, tail };
  }
  return undefined;
}

/** 삼 대 이로 → 3 대 2로; not 이십 대 오 명, people in their twenties. */
export const score: PhraseRule = (pieces, at) => {
  const [first, middle, last, next] = [0, 1, 2, 3].map((offset) => pieces[at + offset]);
  if (!first || middle?.text !== '대' || !last) return undefined;
  const { core, mark } = splitPunctuation(last.text);
  const left = parseNumeral(first.text);
  const right = fractionPart(core, 1000) ?? (/^영/u.test(core) ? zeroIn(core) : undefined);
  if (left?.kind !== 'sino' || !right || left.value >= 1000) {
    return undefined;
  }
  const goesOn = next !== undefined && mark === '' && right.tail === '';
  if (goesOn && (core === '이' || startsWithCounter(next.text))) return undefined;
  return [
    { count: 1, text: String(left.value) },
    { count: 1, text: '대' },
    { count: 1, text: `${right.value}${right.tail}${mark}` },
  ];
};

const zeroIn = (core: string): Part | undefined =>
  josaAfter('영').has(core.slice(1)) ? { value: 0, tail: core.slice(1) } : undefined;

/** 십에서 before 이십 퍼센트: the first number of a range whose counter comes with the second. */
export function rangeStart(text: string): string | undefined {
  const [, words = '', tail = ''] = /^(.+?)(에서|내지)$/u.exec(text) ?? [];
  if (words === '' || /^(?:일|이|사|구|공|영|만)$|\d/u.test(words)) return undefined;
  const value = NATIVE_NOUNS[words] ?? parseNumeral(words)?.value;
  const isNumber = NATIVE_NOUNS[words] !== undefined || parseNumeral(words)?.kind !== 'digits';
  return value === undefined || !isNumber ? undefined : `${writeDigits(value)}${tail}`;
}

const ORDERED_NOUNS = `차 회 장 조 항 호 절 편 과 권 기 대 세대 단계 분과 공장 공화국 도시 국 터미널 사단 연대 대대
  여단 군단 함대 금융권 외국어 순위 악장 계명 법칙 원칙 세계 부 막 부두 구역 지구 당 야당 의`;
const ORDINAL = new RegExp(
  `^제?([일이삼사오육칠팔구십백천]+?)(${ORDERED_NOUNS.split(/\s+/).join('|')})(.*)$`,
  'u',
);
/** Of words that begin so: the first subject, a priest, the most; 제 오차, my error. */
const NO_ORDINAL =
  /^제?(?:[백천만]|[오육칠팔구십]의|일(?:과|권|의|편|부|당|조|국|절|대|호|기|장)|이(?:의|기|과|권)|사(?:장|기|의|과|권|절|회|대|조)|오(?:차|기)|[육천]과|구(?:과|조|호|절|차|기|권|의|역|대))/u;
/** 제이의 인생: a second life. */
const SECOND_LIFE = /^(?:인생|고향|전성기|도약|창업|삶|국민|수도|도시|건국|부흥)/u;
const MY = '차 도시 공화국 터미널 금융권 외국어 세계 사단 세대 단계 국 회'.split(' ');

/** 제삼 차 and 제삼차 → 제3차, 제이 조 삼 항 → 제2조 3항; 제 may stand apart (a prefix by the rules). */
export const ordinal: PhraseRule = (pieces, at) => {
  const first = splitPunctuation(pieces[at]!.text);
  const isApart = first.core === '제';
  const next = pieces[at + 1]?.text ?? '';
  const behind = splitPunctuation(next);
  const isSplit = !isApart && /^제[일이삼사오육칠팔구십백천]+$/u.test(first.core);
  if (!first.core.startsWith('제') || (first.mark !== '' && (isApart || isSplit))) return undefined;
  const { core, mark } = isApart || isSplit ? behind : first;
  const [, words = '', noun = '', tail = ''] =
    ORDINAL.exec(isSplit ? first.core + core : core) ?? [];
  const numeral = parseNumeral(words);
  if (numeral?.kind !== 'sino' || !josaAfter(noun).has(tail)) return undefined;
  if (isSplit && /^[일사]$/u.test(words) && !/^[회조항절호]$/u.test(noun)) return undefined;
  const after = pieces[at + (isApart || isSplit ? 2 : 1)]?.text ?? '';
  const isSecond = words === '이' && noun === '의' && tail === '' && SECOND_LIFE.test(after);
  if (!isSplit && words.length === 1 && !isSecond && NO_ORDINAL.test(core)) return undefined;
  if (isApart && words.length === 1 && !isSecond && (!MY.includes(noun) || words + noun === '육회'))
    return undefined;
  const count = isApart || isSplit ? 2 : 1;
  const written = { count, text: `제${numeral.value}${noun}${tail}${mark}` };
  const isArticle = noun === '조' && tail === '' && mark === '';
  const clause = isArticle ? clauseAt(pieces, at + count) : undefined;
  return clause ? [written, clause] : [written];
};

const CLAUSE = /^항(.*)$/u;

function clauseAt(pieces: readonly Piece[], at: number) {
  const numeral = parseNumeral(pieces[at]?.text ?? '');
  const { core, mark } = splitPunctuation(pieces[at + 1]?.text ?? '');
  const tail = CLAUSE.exec(core)?.[1];
  if (numeral?.kind !== 'sino' || tail === undefined || !mayEndIn('항', tail)) return undefined;
  return { count: 2, text: `${numeral.value}항${tail}${mark}` };
}

const QUARTER = /^([일이삼사])사분기(.*)$/u;

/** 삼사분기 → 3/4분기. */
export const quarter: PhraseRule = (pieces, at) => {
  const [first = '', second = ''] = [at, at + 1].map((index) => pieces[index]?.text ?? '');
  const isSplit = /^[일이삼사]$/u.test(first) && second.startsWith('사분기');
  const { core, mark } = splitPunctuation(isSplit ? first + second : first);
  const [, words = '', tail = ''] = QUARTER.exec(core) ?? [];
  if (words === '' || !mayEndIn('분기', tail)) return undefined;
  return [{ count: isSplit ? 2 : 1, text: `${parseNumeral(words)!.value}/4분기${tail}${mark}` }];
};
