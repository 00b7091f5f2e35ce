import { describe, expect, test } from 'vitest';
import {
  trimRunEdges,
  trimSentenceEnds,
  wordDurations,
} from '../../../../pipeline/alignment/word-durations.ts';

const word = (text: string, start: number, end: number) => ({ text, start, end, confidence: 1 });
const durations = { median: 4000, max: 8000 };
const unknown = { start: undefined, end: undefined, lastSpeech: 0 };
const rangesOf = (words: readonly { start: number; end: number }[]) =>
  words.map(({ start, end }) => [start, end]);

describe('word durations', () => {
  test('the median leaves out words without length and ends at 0.7 s', () => {
    const words = [word('a', 0, 0), word('b', 0, 1000), word('c', 0, 3000), word('d', 0, 4000)];
    expect(wordDurations(words)).toEqual({ median: 3000, max: 6000 });
    expect(wordDurations([word('a', 0, 99_999)])).toEqual({ median: 11_200, max: 22_400 });
    expect(wordDurations([word('a', 0, 2000), word('b', 0, 3000)]).median).toBe(2500);
    expect(wordDurations([])).toEqual({ median: 0, max: 0 });
  });

  test('a pause at a sentence end is in neither the mark nor the word behind it', () => {
    const words = [word(' so', 0, 4000), word('.', 4000, 20_000), word(' We', 20_000, 60_000)];
    expect(rangesOf(trimSentenceEnds(words, durations))).toEqual([
      [0, 4000],
      [4000, 12_000],
      [52_000, 60_000],
    ]);
  });

  test('a first word that reaches far back into a pause starts late', () => {
    const words = [word(' We', 0, 60_000), word(' go', 60_000, 63_000)];
    expect(rangesOf(trimRunEdges(words, durations, unknown))).toEqual([
      [52_000, 60_000],
      [60_000, 63_000],
    ]);
  });

  test('a pause between the first two words is cut off both', () => {
    const words = [word(' We', 0, 20_000), word(' go', 20_000, 60_000)];
    expect(rangesOf(trimRunEdges(words, durations, unknown))).toEqual([
      [44_000, 52_000],
      [52_000, 60_000],
    ]);
  });

  test('the timestamps win where a word reaches half a second beyond them', () => {
    const words = [word(' We', 0, 12_000), word(' go', 12_000, 40_000)];
    const run = { start: 9000, end: 20_000, lastSpeech: 0 };
    expect(rangesOf(trimRunEdges(words, { median: 4000, max: 30_000 }, run))).toEqual([
      [8000, 12_000],
      [12_000, 20_000],
    ]);
  });

  test('timestamps that are near the words leave them alone', () => {
    const words = [word(' We', 8000, 12_000)];
    const run = { start: 9000, end: 11_000, lastSpeech: 0 };
    expect(trimRunEdges(words, durations, run)).toEqual(words);
    expect(trimRunEdges([], durations, run)).toEqual([]);
  });
});
