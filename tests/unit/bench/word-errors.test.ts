import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  countCharacterErrors,
  countWordErrors,
  type ErrorCounts,
  errorRate,
  normalizeForScoring,
  sumErrors,
} from '../../../bench/word-errors.ts';

test.each([
  ['Ask not, WHAT your country!', 'ask not what your country'],
  ["Don't — it’s 1,000.5 well-known…", 'dont its 10005 well known'],
  ['ＡＢＣ　안녕하세요. 네?', 'abc 안녕하세요 네'],
  ['はい、そうです。', 'はい そうです'],
  ['  ', ''],
])('%j is scored as %j', (text, expected) => {
  expect(normalizeForScoring(text)).toBe(expected);
});

test('decomposed Hangul equals composed Hangul', () => {
  expect(normalizeForScoring('한국'.normalize('NFD'))).toBe('한국');
});

test.each([
  ['equal texts', 'a b c', 'A, b c.', [0, 0, 0, 3]],
  ['a wrong word', 'a b c', 'a x c', [1, 0, 0, 3]],
  ['a missing word', 'a b c', 'a c', [0, 1, 0, 3]],
  ['a word too many', 'a b c', 'a b x c', [0, 0, 1, 3]],
  ['one of each', 'a b c d e', 'x b d e f', [1, 1, 1, 5]],
  ['nothing heard', 'a b c', '', [0, 3, 0, 3]],
  ['words out of nothing', '', 'a b', [0, 0, 2, 0]],
])('word errors: %s', (_, reference, hypothesis, expected) => {
  const { substitutions, deletions, insertions, referenceLength } = countWordErrors(
    reference,
    hypothesis,
  );
  expect([substitutions, deletions, insertions, referenceLength]).toEqual(expected);
});

test('character errors do not count spaces', () => {
  expect(countCharacterErrors('안녕 하세요', '안녕하세오')).toEqual({
    substitutions: 1,
    deletions: 0,
    insertions: 0,
    referenceLength: 5,
  });
});

test('the rate is errors over reference words', () => {
  expect(errorRate(countWordErrors('a b c d', 'a x c'))).toBe(0.5);
  expect(errorRate(countWordErrors('a', 'x y z'))).toBe(3);
  expect(errorRate(countWordErrors('', ''))).toBe(0);
  expect(errorRate(countWordErrors('', 'a'))).toBe(Number.POSITIVE_INFINITY);
});

test('a sum weighs recordings by their length', () => {
  const sum = sumErrors([countWordErrors('a', 'x'), countWordErrors('b c d', 'b c d')]);
  expect(sum).toEqual({ substitutions: 1, deletions: 0, insertions: 0, referenceLength: 4 });
  expect(errorRate(sumErrors([]))).toBe(0);
});

test('the number of errors is the shortest way, by trying all', () => {
  const words = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 5 });
  fc.assert(
    fc.property(words, words, (reference, hypothesis) => {
      const counts = countWordErrors(reference.join(' '), hypothesis.join(' '));
      expect(total(counts)).toBe(fewestEdits(reference, hypothesis));
      expect(counts.insertions - counts.deletions).toBe(hypothesis.length - reference.length);
    }),
  );
});

const total = ({ substitutions, deletions, insertions }: ErrorCounts) =>
  substitutions + deletions + insertions;

function fewestEdits(reference: readonly string[], hypothesis: readonly string[]): number {
  const [expected, ...restExpected] = reference;
  const [heard, ...restHeard] = hypothesis;
  if (expected === undefined) return hypothesis.length;
  if (heard === undefined) return reference.length;
  return Math.min(
    fewestEdits(restExpected, restHeard) + (expected === heard ? 0 : 1),
    fewestEdits(restExpected, hypothesis) + 1,
    fewestEdits(reference, restHeard) + 1,
  );
}
