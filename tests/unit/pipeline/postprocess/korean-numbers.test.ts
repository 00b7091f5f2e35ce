import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countNumberErrors } from '../../../../bench/number-errors.ts';
import {
  koreanDigitsToWords,
  koreanDigitsToWordsIn,
} from '../../../../pipeline/postprocess/korean/digits-to-words.ts';
import { koreanNumbersToDigits } from '../../../../pipeline/postprocess/korean/numbers-to-digits.ts';
import { parseNumeral } from '../../../../pipeline/postprocess/korean/parse-numeral.ts';
import { readNative, readSino } from '../../../../pipeline/postprocess/korean/write-numeral.ts';
import { toPieces } from '../../../../pipeline/postprocess/pieces.ts';
import { changed, segmentOf } from './pieces-of.ts';
import { tableOf } from './table.ts';

test.each(tableOf('korean/spoken-to-digits.txt'))(
  '$heading: "$given" is written "$expected"',
  ({ given, expected }) => {
    expect(changed(given, koreanNumbersToDigits)).toBe(expected);
  },
);

test.each(tableOf('korean/ordinary.txt'))(
  '$heading: "$given" keeps its words',
  ({ given, expected }) => {
    expect(changed(given, koreanNumbersToDigits)).toBe(expected);
  },
);

test.each(tableOf('korean/digits-to-spoken.txt'))(
  '$heading: "$given" is read "$expected", as a text and word by word',
  ({ given, expected }) => {
    expect(koreanDigitsToWords(given)).toBe(expected);
    expect(changed(given, koreanDigitsToWordsIn)).toBe(expected);
  },
);

test.each([
  ['2024. 3. 15. 회의', '이천이십사 년 삼 월 십오 일 회의'],
  ['3 시에', '세 시에'],
  ['6.25 전쟁', '육이오 전쟁'],
])('"%s" in several words is read "%s"', (written, spoken) => {
  expect(changed(written, koreanDigitsToWordsIn)).toBe(spoken);
});

test.each(['korean/spoken-in-talk.txt', 'korean/spoken-in-notices.txt'])(
  'of the numbers of %s 88 %% and more are found, and none is invented',
  (table) => {
    const counts = tableOf(table).map(({ given, expected }) =>
      countNumberErrors(expected, changed(given, koreanNumbersToDigits)),
    );
    const sum = (key: 'expected' | 'found' | 'invented'): number =>
      counts.reduce((total, row) => total + row[key], 0);
    expect(sum('expected')).toBeGreaterThan(100);
    expect(sum('found') / sum('expected')).toBeGreaterThanOrEqual(0.88);
    expect(sum('invented')).toBe(0);
  },
);

test('digits that are written are not written again', () => {
  for (const { expected } of tableOf('korean/spoken-to-digits.txt')) {
    expect(changed(expected, koreanNumbersToDigits)).toBe(expected);
  }
});

test('a number takes the time of all words that it was', () => {
  const pieces = koreanNumbersToDigits(toPieces(segmentOf('삼만 오천 원입니다 삼분의 일')));
  const times = pieces.map(({ text, words }) => [
    text,
    words[0]?.range.start,
    words.at(-1)?.range.end,
  ]);
  expect(times).toEqual([
    ['35,000원입니다', 0, 24_000],
    ['3분의', 24_000, 32_000],
    ['1', 32_000, 40_000],
  ]);
});

test('every number is read back as it was spoken', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9_999_999_999_999_99 }), (value) => {
      expect(parseNumeral(readSino(value).replaceAll(' ', ''))?.value).toBe(value);
    }),
    { numRuns: 1000, seed: 3 },
  );
});

test('every native number before a counter is read back', () => {
  for (let value = 1; value <= 99; value++) {
    expect(parseNumeral(readNative(value)!)?.value).toBe(value);
  }
  expect(readNative(0)).toBeUndefined();
  expect(readNative(100)).toBeUndefined();
});

test('an amount that is spoken, written and read again is the same', () => {
  const counters = ['원', '퍼센트', '달러', '킬로미터', '초'];
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 999_999_999_999 }),
      fc.constantFrom(...counters),
      (value, counter) => {
        const spoken = `${readSino(value)} ${counter}`;
        fc.pre(!/^(?:만|이만|일만|오만)일? /u.test(spoken));
        const written = changed(spoken, koreanNumbersToDigits);
        expect(written).toMatch(/\d/);
        expect(koreanDigitsToWords(written)).toBe(spoken);
      },
    ),
    { numRuns: 1000, seed: 3 },
  );
});

test('what is read of digits holds none, whatever stands around them', () => {
  const part = fc.oneof(
    fc.nat({ max: 99_999_999 }).map(String),
    fc.constant('12345678901234567890'),
    fc.constantFrom('시', '명', ':', '.', '-', '~', '/', ' ', '원', '월', '%', ',', '회의', '('),
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
      const text = parts.join('');
      // An address is no speech.
      fc.pre(!text.includes('://'));
      expect(koreanDigitsToWords(text)).not.toMatch(/\d/);
    }),
    { numRuns: 1000, seed: 3 },
  );
});
