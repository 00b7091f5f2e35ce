import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wordsInSpeech } from '../../../../pipeline/alignment/words-in-speech.ts';
import type { Segment } from '../../../../pipeline/contracts.ts';

const MS = 16;
type Range = readonly [startMs: number, endMs: number];
const rangeOf = ([startMs, endMs]: Range) => ({ start: startMs * MS, end: endMs * MS });

const segmentOf = (range: Range, words: readonly Range[]): Segment => ({
  ...{ text: 'text', range: rangeOf(range), confidence: 1, avgLogProb: -0.1, noSpeechProb: 0 },
  ...{ compressionRatio: 1, temperature: 0 },
  words: words.map((word) => ({ text: 'word', range: rangeOf(word), confidence: 1 })),
});

/** Two regions of 1 to 3 and 4 to 6 s with their pads of 200 ms. */
const REGIONS: readonly Range[] = [
  [800, 3200],
  [3800, 6200],
];

function settle(words: readonly Range[], regions = REGIONS, range: Range = [0, 8000]): Range[] {
  const places = { regions: regions.map(rangeOf), padSamples: 200 * MS };
  const [segment] = wordsInSpeech([segmentOf(range, words)], places);
  return segment!.words.map((word) => [word.range.start / MS, word.range.end / MS]);
}

describe('words in speech', () => {
  test('a first word that begins in the pause begins with the speech', () => {
    expect(settle([[850, 1500]])).toEqual([[1000, 1500]]);
    expect(settle([[3300, 4500]])).toEqual([[4000, 4500]]);
  });

  test('a last word that ends in the pause ends with the speech and its pad', () => {
    expect(settle([[2500, 3700]])).toEqual([[2500, 3200]]);
  });

  test('a word across the pause stays where more of it is', () => {
    expect(settle([[2900, 5000]])).toEqual([[4000, 5000]]);
    expect(settle([[2000, 3900]])).toEqual([[2000, 3200]]);
  });

  test('the last word before a pause lasts to the end of the speech if that is near', () => {
    expect(settle([[2000, 2700]])).toEqual([[2000, 3000]]);
    expect(settle([[2000, 2500]])).toEqual([[2000, 2500]]);
    expect(
      settle([
        [2000, 2700],
        [2700, 2900],
      ]),
    ).toEqual([
      [2000, 2700],
      [2700, 3000],
    ]);
  });

  test('words in the middle of the speech keep their times', () => {
    const words: Range[] = [
      [1000, 1400],
      [1400, 1900],
      [1900, 3100],
      [4100, 4500],
      [4500, 6100],
    ];
    expect(settle(words)).toEqual(words);
  });

  test('a word without speech stays: voice activity leaves out what is short', () => {
    expect(settle([[3300, 3600]])).toEqual([[3300, 3600]]);
    expect(settle([[300, 600]])).toEqual([[300, 600]]);
  });

  test('a soft word in the pad of a region stays there', () => {
    expect(
      settle([
        [700, 950],
        [950, 1500],
      ]),
    ).toEqual([
      [800, 950],
      [1000, 1500],
    ]);
  });

  test('where regions touch, and at the start of the recording, nothing is moved', () => {
    const touching: Range[] = [
      [0, 3000],
      [3000, 6000],
    ];
    const words: Range[] = [
      [0, 500],
      [2000, 3000],
      [3000, 3400],
    ];
    expect(settle(words, touching)).toEqual(words);
  });

  test('the rest of a region has speech from its start on', () => {
    const words = [segmentOf([800, 1500], [[800, 1500]])];
    const places = { regions: REGIONS.map(rangeOf), padSamples: 200 * MS };
    expect(wordsInSpeech(words, { ...places, isContinued: true })).toEqual(words);
  });

  test('a segment ends no earlier than its last word, and never over the next one', () => {
    const places = { regions: REGIONS.map(rangeOf), padSamples: 200 * MS };
    const alone = wordsInSpeech([segmentOf([0, 2700], [[2000, 2700]])], places);
    expect(alone[0]!.range).toEqual(rangeOf([0, 3000]));
    const followed = wordsInSpeech(
      [segmentOf([0, 2700], [[2000, 2700]]), segmentOf([2800, 3200], [[2850, 3000]])],
      places,
    );
    expect(followed[0]!.range).toEqual(rangeOf([0, 2700]));
  });

  test('order is kept and nothing overlaps or is empty, whatever the words and regions', () => {
    const cuts = (max: number, maxLength: number) =>
      fc
        .uniqueArray(fc.integer({ min: 0, max }), { maxLength })
        .map((times) => times.toSorted((a, b) => a - b));
    const pairs = (times: readonly number[]): Range[] =>
      times.flatMap((time, i) => (i % 2 === 1 ? [[times[i - 1]!, time] as const] : []));
    fc.assert(
      fc.property(cuts(9000, 16), cuts(9000, 10), fc.nat(400), (said, heard, padMs) => {
        const segments = pairs(said).map((range) => segmentOf(range, [range]));
        const regions = pairs(heard).map(rangeOf);
        const found = wordsInSpeech(segments, { regions, padSamples: padMs * MS });
        let previousEnd = 0;
        for (const { range, words } of found) {
          const [word] = words;
          expect(word!.range.start).toBeGreaterThanOrEqual(previousEnd);
          expect(word!.range.end).toBeGreaterThan(word!.range.start);
          expect(range.start).toBeLessThanOrEqual(word!.range.start);
          expect(range.end).toBeGreaterThanOrEqual(word!.range.end);
          previousEnd = range.end;
        }
      }),
      { numRuns: 300 },
    );
  });
});
