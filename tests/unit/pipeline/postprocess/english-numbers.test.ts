import fc from 'fast-check';
import { expect, test } from 'vitest';
import { englishDigitsToWords } from '../../../../pipeline/alignment/english-numerals.ts';
import {
  cardinal,
  englishDigitsToWordsIn,
} from '../../../../pipeline/postprocess/english/digits-to-words.ts';
import { englishNumbersToDigits } from '../../../../pipeline/postprocess/english/numbers-to-digits.ts';
import { changed } from './pieces-of.ts';

test.each([
  ['twenty-five people and three hundred forty two more.', '25 people and 342 more.'],
  ['one hundred and five', '105'],
  ['a hundred and five people', '105 people'],
  ['one hundred and two hundred', '100 and 200'],
  ['two thousand and twenty four', '2,024'],
  ['two thousand twenty four people', '2,024 people'],
  ['in two thousand twenty four', 'in 2024'],
  ['nineteen ninety nine', '1999'],
  ['twenty twenty four', '2024'],
  ['in nineteen ninety.', 'in 1990.'],
  ['nineteen oh five', '1905'],
  ['thirty six hundred', '3,600'],
  ['two million dollars', '2,000,000 dollars'],
  ['two point five million users', '2.5 million users'],
  ['three point one four', '3.14'],
  ['three point five percent', '3.5%'],
  ['five percent, one person', '5%, one person'],
  ['five per cent', '5%'],
  ['the twenty-first century', 'the 21st century'],
  ['ten thousand and one nights', '10,001 nights'],
])('English numbers: %s becomes %s', (text, expected) => {
  expect(changed(text, englishNumbersToDigits)).toBe(expected);
});

test.each([
  'one two three',
  'no one',
  'a hundred people',
  'twenty, thirty people',
  'nineteen twenty people',
  'fifty fifty',
  'a twenty second break',
  'one of the two and one or two',
  'point five',
])('%s holds no number to be written in digits', (text) => {
  expect(changed(text, englishNumbersToDigits)).toBe(text);
});

test.each([
  ['25 people', 'twenty-five people'],
  ['342', 'three hundred forty-two'],
  ['$5 and $5.50', 'five dollars and five dollars and fifty cents'],
  ['35% of 3.5', 'thirty-five percent of three point five'],
  ['in 2024, 2005 and 1900', 'in twenty twenty-four, two thousand five and nineteen hundred'],
  ['the 1990s', 'the nineteen nineties'],
  ['1,000', 'one thousand'],
  ['2nd and 21st', 'second and twenty-first'],
  ['5-10 minutes', 'five to ten minutes'],
  ['at 3:30', 'at three thirty'],
  ['-5', 'minus five'],
  ['555-1234', 'five five five one two three four'],
  ['A4, COVID-19 and v1.2.3', 'A4, COVID-19 and v1.2.3'],
])('English digits: %s becomes %s', (text, expected) => {
  expect(changed(text, englishDigitsToWordsIn)).toBe(expected);
});

test('for timing every digit is read, in names too', () => {
  expect(englishDigitsToWords('COVID-19 A4 747').replace(/\s+/g, ' ')).toBe(
    'COVID- nineteen A four seven hundred forty-seven',
  );
});

test('every cardinal is written back as it was said', () => {
  fc.assert(
    fc.property(fc.integer({ min: 21, max: 999_999_999 }), (value) => {
      const words = cardinal(String(value));
      fc.pre(/[ -]/.test(words));
      expect(changed(words, englishNumbersToDigits)).toBe(value.toLocaleString('en-US'));
    }),
    { numRuns: 1000, seed: 3 },
  );
});
