/** Zero to nineteen. */
export const ONES =
  `zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
  fifteen sixteen seventeen eighteen nineteen`.split(/\s+/);

/** Twenty to ninety. */
export const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');

/** From the largest unit down. */
export const LARGE: readonly (readonly [string, number])[] = [
  ['trillion', 1e12],
  ['billion', 1e9],
  ['million', 1e6],
  ['thousand', 1e3],
];

/** Ordinals that are not their number and `th`. */
export const IRREGULAR_ORDINALS: Readonly<Record<string, string>> = {
  one: 'first',
  two: 'second',
  three: 'third',
  five: 'fifth',
  eight: 'eighth',
  nine: 'ninth',
  twelve: 'twelfth',
};

/** Words before a year: in nineteen ninety. */
export const BEFORE_YEAR = new Set(
  `in since until till by from during before after around circa of year years fiscal early late mid spring
  summer autumn fall winter january february march april may june july august september october november
  december`.split(/\s+/),
);

/** 0–99 in one or two words. */
export function smallWords(value: number): string[] {
  if (value < 20) return [ONES[value]!];
  const ten = TENS[Math.floor(value / 10) - 2]!;
  return value % 10 === 0 ? [ten] : [ten, ONES[value % 10]!];
}

/** What a word below a hundred stands for: seventeen, forty. */
export function smallValue(word: string): number | undefined {
  const one = ONES.indexOf(word);
  if (one >= 0) return one;
  const ten = TENS.indexOf(word);
  return ten >= 0 ? (ten + 2) * 10 : undefined;
}
