import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { placeWords } from '../../../../pipeline/alignment/place-words.ts';

const word = (text: string, start: number, end: number) => ({ text, start, end, confidence: 0.5 });
const identity = (sample: number): number => sample;

/** A window made of pieces of the recording, one after the other. */
const packed =
  (pieces: readonly { start: number; end: number }[]) =>
  (sample: number): number => {
    let done = 0;
    for (const { start, end } of pieces) {
      if (sample < done + end - start) return start + sample - done;
      done += end - start;
    }
    return pieces.at(-1)!.end + sample - done;
  };

describe('placeWords', () => {
  test('moves the words to their place in the recording and trims their text', () => {
    const words = [word(' Yes,', 0, 4000), word(' no', 4000, 9000)];
    const placed = placeWords(words, { start: 1000, end: 20_000 }, (sample) => sample + 1000);
    expect(placed).toEqual([
      { text: 'Yes,', range: { start: 1000, end: 5000 }, confidence: 0.5 },
      { text: 'no', range: { start: 5000, end: 10_000 }, confidence: 0.5 },
    ]);
  });

  test('a word over removed silence stays where more of it is', () => {
    const toRecording = packed([
      { start: 0, end: 10_000 },
      { start: 50_000, end: 60_000 },
    ]);
    const segment = { start: 0, end: 60_000 };
    const [before] = placeWords([word('a', 4000, 12_000)], segment, toRecording);
    expect(before!.range).toEqual({ start: 4000, end: 10_000 });
    const [after] = placeWords([word('a', 8000, 16_000)], segment, toRecording);
    expect(after!.range).toEqual({ start: 50_000, end: 56_000 });
    const [exact] = placeWords([word('a', 6000, 10_000)], segment, toRecording);
    expect(exact!.range).toEqual({ start: 6000, end: 10_000 });
  });

  test('words without length get 20 ms where there is room', () => {
    const words = [word('a', 100, 100), word('b', 100, 100), word('c', 100, 9000)];
    const ranges = placeWords(words, { start: 0, end: 10_000 }, identity).map(({ range }) => range);
    expect(ranges).toEqual([
      { start: 100, end: 420 },
      { start: 420, end: 740 },
      { start: 740, end: 9000 },
    ]);
  });

  test('text without anything in it is no word', () => {
    expect(placeWords([word(' ', 0, 100)], { start: 0, end: 100 }, identity)).toEqual([]);
  });

  test('words are in order, apart, inside the segment and never empty, whatever comes in', () => {
    const sample = fc.integer({ min: -2000, max: 40_000 });
    const words = fc.array(fc.record({ start: sample, end: sample }), { maxLength: 20 });
    const piece = fc.record({
      silence: fc.integer({ min: 0, max: 5000 }),
      speech: fc.integer({ min: 1, max: 8000 }),
    });
    const segments = fc.record({
      start: fc.integer({ min: 0, max: 30_000 }),
      length: fc.integer({ min: 20, max: 30_000 }),
    });
    fc.assert(
      fc.property(words, fc.array(piece, { minLength: 1 }), segments, (raw, parts, at) => {
        let position = 0;
        const pieces = parts.map(({ silence, speech }) => {
          const start = position + silence;
          position = start + speech;
          return { start, end: position };
        });
        const segment = { start: at.start, end: at.start + at.length };
        const timed = raw.map(({ start, end }) => word('a', start, end));
        let previousEnd = segment.start;
        for (const { range } of placeWords(timed, segment, packed(pieces))) {
          expect(range.start).toBeGreaterThanOrEqual(previousEnd);
          expect(range.end).toBeGreaterThan(range.start);
          expect(range.end).toBeLessThanOrEqual(segment.end);
          expect(Number.isInteger(range.start) && Number.isInteger(range.end)).toBe(true);
          previousEnd = range.end;
        }
      }),
      { numRuns: 3000 },
    );
  });
});
