import { endsInConsonant, takesEuro } from './hangul.ts';

/** Particles (조사) behind any noun, alone and together. */
const AFTER_ANY = `
  의 에 에는 에도 에만 에서 에서는 에서도 에서만 에서의 에게 에게는 에게도 에게서 한테 한테는 한테도 한테서
  께 께서 께서는 께서도 까지 까지는 까지도 까지만 까지의 까지요 부터 부터는 부터의 부터요 도 도요
  만 만은 만이 만을 만의 만에 만요 만으로 만으로는 보다 보다는 보다도 처럼 처럼은 마다 마저 조차 밖에 밖에는
  씩 씩은 씩을 씩만 씩의 씩이나 쯤 쯤은 쯤에 쯤이 쯤의 쯤부터 쯤까지 하고 하고는 만큼 만큼은 만큼의
  뿐 뿐이 뿐만 에서부터 에서까지 에까지 까지가 까지를 까지로 쯤에는 쯤에서 쯤은 쯤을 치고 치고는 대로 커녕`;

/** Forms of 이다 that keep their 이 behind vowels, too. */
const COPULA_ANYWHERE =
  '인 인데 인데요 인데도 인가 인가요 인지 인지는 인지도 인걸 인걸요 임 입니다 입니다만 입니까 일까 일까요 일지 일지도 일걸';
/** Particles that 이다 may follow: 세 시까지입니다. */
const BEFORE_COPULA = '까지 부터 쯤 씩 만 뿐 에서 에게서 만큼';

const AFTER_CONSONANT = '은 이 을 과 과는 과도 과의 이나 이나마 이랑 이랑은 이든 이든지';
const AFTER_VOWEL = '는 가 를 와 와는 와도 와의 나 나마 랑 랑은 든 든지';
const EURO = '으로 으로는 으로도 으로만 으로서 으로써 으로부터 으로의 으로요';

/** Of the copula 이다; behind a vowel the 이 may go, and 이었 becomes 였 (한글 맞춤법 36항). */
const COPULA = `
  이다 이라 이라는 이라도 이라고 이라고요 이라고는 이라면 이라서 이란 이라며 이래요 이랍니다 이며 이고 이고요 이면 이면은
  이지만 이지만요 이니까 이니까요 이니 이네요 이네 이군요 이죠 이지요 이지 이야 이에요 이요 이거든요 이잖아요
  이므로 이었습니다 이었어요 이었고 이었는데 이었던 이었다 이었죠 이었지만 이세요 이십니다
  이래 이래서 이랬어 이랬어요 이라던데 이라더라 이라면서 이라기보다 이란다 이라야
  이더라 이더라고 이더라고요 이던데 이던데요 이던가 이잖아 이거든 이야말로 이었어 이었지 이었네 이었으면 이었다가
  이었을 이구나`;

const listOf = (words: string): string[] => words.trim().split(/\s+/);
const shortened = (form: string): string =>
  form === '이에요' ? '예요' : form.replace(/^이었/, '였').replace(/^이(?!에요)/, '');

const COPULA_FORMS = {
  consonant: [...listOf(COPULA_ANYWHERE), ...listOf(COPULA)],
  vowel: [
    ...[...listOf(COPULA_ANYWHERE), ...listOf(COPULA)],
    ...[...listOf(COPULA).map(shortened), '에요'],
  ],
};
const FORMS = {
  any: [
    ...listOf(AFTER_ANY),
    ...listOf(BEFORE_COPULA).flatMap((josa) =>
      COPULA_FORMS[endsInConsonant(josa) ? 'consonant' : 'vowel'].map((form) => josa + form),
    ),
  ],
  consonant: [...listOf(AFTER_CONSONANT), ...COPULA_FORMS.consonant],
  vowel: [...listOf(AFTER_VOWEL), ...COPULA_FORMS.vowel],
  euro: listOf(EURO),
  ro: listOf(EURO).map((form) => form.slice(1)),
};

/** One that changes with its noun: the form behind a consonant and behind a vowel. */
const PAIRS = [
  '은 는',
  '이 가',
  '을 를',
  '과 와',
  '이나 나',
  '이랑 랑',
  '이라는 라는',
  '이라고 라고',
].map((pair) => pair.split(' '));

const setOf = (...lists: readonly (readonly string[])[]): ReadonlySet<string> =>
  new Set(['', ...FORMS.any, ...lists.flat()]);
const AFTER = {
  consonant: setOf(FORMS.consonant, FORMS.euro),
  rieul: setOf(FORMS.consonant, FORMS.ro),
  vowel: setOf(FORMS.vowel, FORMS.ro),
  unknown: setOf(FORMS.consonant, FORMS.vowel, FORMS.euro, FORMS.ro),
};

/**
 * What may follow the noun within its word, nothing included: particles and forms of 이다 in the form
 * that its last sound asks for. Behind another script than Hangul either form may stand.
 */
export function josaAfter(noun: string): ReadonlySet<string> {
  const isConsonant = endsInConsonant(noun);
  if (isConsonant === undefined) return AFTER.unknown;
  if (!isConsonant) return AFTER.vowel;
  return takesEuro(noun) === true ? AFTER.consonant : AFTER.rieul;
}

/** All of them, the longest first: where the noun is not known yet. */
export const ALL_JOSA: readonly string[] = [...AFTER.unknown].sort((a, b) => b.length - a.length);

/** The particle in the form that `noun` asks for: 를 behind 책 is 을. */
export function josaFor(noun: string, josa: string): string {
  const isConsonant = endsInConsonant(noun);
  if (isConsonant === undefined) return josa;
  if (/^으?로/.test(josa)) return josa.replace(/^으?로/, takesEuro(noun) === true ? '으로' : '로');
  const pair = PAIRS.find((forms) => forms.includes(josa));
  return pair?.[isConsonant ? 0 : 1] ?? josa;
}
