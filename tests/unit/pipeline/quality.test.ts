import { expect, test } from 'vitest';
import type { Recognition } from '../../../pipeline/contracts.ts';
import {
  type Attempt,
  bestAttempt,
  compressionRatio,
  isSilence,
  needsFallback,
} from '../../../pipeline/quality.ts';

const thresholds = {
  compressionRatioThreshold: 2.4,
  avgLogProbThreshold: -1,
  noSpeechThreshold: 0.6,
};

const recognitionOf = (avgLogProb: number, noSpeechProb: number): Recognition => ({
  tokens: [],
  avgLogProb,
  noSpeechProb,
  language: 'en',
  languageProbability: 1,
});

const attemptOf = (ratio: number, avgLogProb: number, noSpeechProb = 0): Attempt => ({
  recognition: recognitionOf(avgLogProb, noSpeechProb),
  text: '',
  temperature: 0,
  compressionRatio: ratio,
});

test.each([
  ['', 0, 8],
  ['a', 1, 9],
  ['hello world '.repeat(20), 240, 23],
  ['시청해주셔서 감사합니다. '.repeat(10), 360, 53],
])(
  'the compression ratio counts UTF-8 bytes as zlib.compress of Python does (%#)',
  (text, bytes, compressed) => {
    expect(compressionRatio(text)).toBe(bytes / compressed);
  },
);

test.each([
  ['a good result', attemptOf(1.5, -0.3, 0.1), false],
  ['repetition', attemptOf(2.5, -0.3, 0.1), true],
  ['a ratio on the limit', attemptOf(2.4, -0.3, 0.1), false],
  ['a poor guess', attemptOf(1.5, -1.1, 0.1), true],
  ['a log-probability on the limit', attemptOf(1.5, -1, 0.1), false],
  ['a poor guess over silence', attemptOf(1.5, -1.1, 0.7), false],
  ['repetition over silence', attemptOf(2.5, -1.1, 0.7), false],
  ['repetition that sounds sure over silence', attemptOf(2.5, -0.3, 0.7), true],
])('fallback: %s', (_, attempt, expected) => {
  expect(needsFallback(attempt, thresholds)).toBe(expected);
});

test.each([
  ['doubt and a poor guess', -1.1, 0.7, true],
  ['doubt but a good guess', -0.9, 0.7, false],
  ['a poor guess without doubt', -1.1, 0.6, false],
])('silence: %s', (_, avgLogProb, noSpeechProb, expected) => {
  expect(isSilence(recognitionOf(avgLogProb, noSpeechProb), thresholds)).toBe(expected);
});

test('of failed attempts the likeliest without repetition is best', () => {
  const attempts = [attemptOf(5, -0.1), attemptOf(1.2, -1.8), attemptOf(1.3, -1.4)] as const;
  expect(bestAttempt([...attempts], thresholds)).toBe(attempts[2]);
});

test('of repetitive attempts only, the likeliest is best, and the first of equal ones', () => {
  const attempts = [attemptOf(5, -0.5), attemptOf(6, -0.2), attemptOf(3, -0.2)] as const;
  expect(bestAttempt([...attempts], thresholds)).toBe(attempts[1]);
});
