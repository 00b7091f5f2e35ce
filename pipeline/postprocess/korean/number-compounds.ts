import { splitPunctuation } from '../pieces.ts';
import { countersFollow } from './accepted-number.ts';
import { countedNumber } from './counted-number.ts';
import { josaAfter } from './josa.ts';
import { DAYS_OF_HISTORY } from './latin-readings.ts';
import { fractionPart, type PhraseRule } from './number-phrases.ts';
import { parseNumeral } from './parse-numeral.ts';
import { writeCounted } from './write-counted.ts';

/** 삼박사일로 → 3박4일로, 일학년이반 → 1학년2반: several counted numbers in one word. */
export const countedRow: PhraseRule = (pieces, at) => {
  const { core, mark } = splitPunctuation(pieces[at]!.text);
  const text = rowIn(core);
  return text === undefined ? undefined : [{ count: 1, text: text + mark }];
};

function rowIn(word: string): string | undefined {
  if (word.startsWith('일분일초')) return undefined;
  for (let end = word.length - 2; end > 1; end--) {
    const [first, rest] = [numberIn(word.slice(0, end)), word.slice(end)];
    const next = numberIn(rest);
    if (first?.tail !== '' || !next || !countersFollow(first, next)) continue;
    if (first.isSure || next.isSure) return writeCounted(first, false) + writeCounted(next, false);
  }
  return undefined;
}

const numberIn = (text: string) => countedNumber([{ text, spaceBefore: true, words: [] }], 0);

const SINO = '[영일이삼사오육칠팔구십백]+';
const SCORE = new RegExp(`^(${SINO})대(${SINO})((?:으?로)?)$`, 'u');
const WON =
  /^(?:이겼|이기|이긴|졌|지고|진|승리|패배|패했|비겼|비기|무승부|역전|앞서|뒤지|끝났|끝나|나누|나눠|나눈)/u;
const FRACTION = new RegExp(`^(${SINO})분의(.+)$`, 'u');

/** 삼대이로 이겼다 → 3대2로. */
export const scoreWord: PhraseRule = (pieces, at) => {
  const { core, mark } = splitPunctuation(pieces[at]!.text);
  const [, left = '', right = '', tail = ''] = SCORE.exec(core) ?? [];
  const [first, second] = [parseNumeral(left), parseNumeral(right)];
  const before = splitPunctuation(pieces[at - 1]?.text ?? '').core;
  const isKnown = WON.test(pieces[at + 1]?.text ?? '') || /(?:스코어|점수|비율)$/u.test(before);
  if (first?.kind !== 'sino' || second?.kind !== 'sino' || !isKnown) return undefined;
  return [{ count: 1, text: `${first.value}대${second.value}${tail}${mark}` }];
};

/** 삼분의일이 → 3분의1이. */
export const fractionWord: PhraseRule = (pieces, at) => {
  const { core, mark } = splitPunctuation(pieces[at]!.text);
  const [, left = '', right = ''] = FRACTION.exec(core) ?? [];
  const whole = parseNumeral(left);
  const part = whole?.kind === 'sino' ? fractionPart(right, whole.value) : undefined;
  if (!part) return undefined;
  return [{ count: 1, text: `${whole!.value}분의${part.value}${part.tail}${mark}` }];
};

/** Wards of a borough and blocks of a road: 노원구 상계오동, 종로삼가. */
const WARD = /^(\p{Script=Hangul}{2,4})([일이삼사오육칠팔구])(동)(.*)$/u;
const BLOCK =
  /^(종로|을지로|충무로|충정로|퇴계로|남대문로|한강로|신문로|원효로|태평로|의주로|명동|필동|저동|회현동|남산동|장충동|금호동|성수동|용두동|당산동|양평동|영등포동|문래동|동선동|삼선동|안암동|보문동|동소문동|봉래동)([일이삼사오육칠])(가)(.*)$/u;

export const numberedPlace: PhraseRule = (pieces, at) => {
  const { core, mark } = splitPunctuation(pieces[at]!.text);
  const isInBorough = /\p{Script=Hangul}[구시]$/u.test(pieces[at - 1]?.text ?? '');
  const found = BLOCK.exec(core) ?? (isInBorough ? WARD.exec(core) : null);
  const [, place = '', digit = '', unit = '', tail = ''] = found ?? [];
  if (!found || !josaAfter(unit).has(tail)) return undefined;
  return [{ count: 1, text: `${place}${parseNumeral(digit)!.value}${unit}${tail}${mark}` }];
};

const HISTORY = new Map(
  Object.entries(DAYS_OF_HISTORY)
    .filter(([, name]) => /^(?:육이오|오일팔|사일구|오일육|팔일오)$/u.test(name))
    .map(([day, name]) => [name, day]),
);

/** 육이오 → 6·25. */
export const dayOfHistory: PhraseRule = (pieces, at) => {
  const { core, mark } = splitPunctuation(pieces[at]!.text);
  const day = HISTORY.get(core.slice(0, 3));
  if (day === undefined || !josaAfter(core.slice(0, 3)).has(core.slice(3))) return undefined;
  return [{ count: 1, text: day + core.slice(3) + mark }];
};
