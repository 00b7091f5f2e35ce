import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SampleRange, secToSamples } from '../../../audio/time.ts';
import { RegionMerger, type SpeechChunk, SpeechChunker } from '../../../pipeline/chunks.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../../../pipeline/options.ts';
import { windowSamplesOf } from '../../../pipeline/time-map.ts';

const WINDOW = 512;
const WHOLE_PAUSES = {
  maxChunkSamples: secToSamples(30),
  maxPauseSamples: Number.POSITIVE_INFINITY,
};
const rangeOf = (startSec: number, endSec: number): SampleRange => ({
  start: secToSamples(startSec),
  end: secToSamples(endSec),
});

/** Regions and chunks as [start, end] in seconds. */
function mergeSec(regions: readonly (readonly [number, number])[]) {
  const merger = new RegionMerger(WHOLE_PAUSES);
  const chunks = regions.flatMap(([start, end]) => merger.push(rangeOf(start, end)));
  return [...chunks, ...merger.finish()].map(({ pieces: [range] }) => [
    range!.start / 16_000,
    range!.end / 16_000,
  ]);
}

test('no speech makes no chunks', () => {
  expect(mergeSec([])).toEqual([]);
});

test('regions are merged while they fit, silence between them included', () => {
  expect(
    mergeSec([
      [1, 5],
      [10, 14],
      [20, 31],
      [31.5, 40],
    ]),
  ).toEqual([
    [1, 31],
    [31.5, 40],
  ]);
});

test('a region of exactly the longest chunk stays whole', () => {
  expect(
    mergeSec([
      [0, 30],
      [30, 60],
    ]),
  ).toEqual([
    [0, 30],
    [30, 60],
  ]);
});

test('a tiny last chunk takes regions from the one before, at the widest pause', () => {
  expect(
    mergeSec([
      [0, 10],
      [12, 20],
      [20.5, 29],
      [30.5, 31.5],
    ]),
  ).toEqual([
    [0, 10],
    [12, 31.5],
  ]);
});

test('a tiny chunk in the middle takes regions from the one before', () => {
  expect(
    mergeSec([
      [0, 20],
      [21, 28],
      [29, 31],
      [32, 60],
    ]),
  ).toEqual([
    [0, 20],
    [21, 31],
    [32, 60],
  ]);
});

test('a tiny chunk stays alone when its neighbour is one region', () => {
  expect(
    mergeSec([
      [0, 29],
      [29.5, 31],
    ]),
  ).toEqual([
    [0, 29],
    [29.5, 31],
  ]);
});

test('a tiny chunk stays alone when a long silence separates it', () => {
  expect(
    mergeSec([
      [0, 10],
      [11, 25],
      [60, 61],
    ]),
  ).toEqual([
    [0, 25],
    [60, 61],
  ]);
});

test('a split that leaves both sides short is taken where the shorter one is longest', () => {
  expect(
    mergeSec([
      [0, 1],
      [1.5, 28],
      [28.5, 30.5],
    ]),
  ).toEqual([
    [0, 28],
    [28.5, 30.5],
  ]);
});

/** Ordered, disjoint regions of at most 30 s. */
const regionLists = fc
  .array(fc.tuple(fc.nat(200_000), fc.integer({ min: 1, max: 480_000 })), { maxLength: 60 })
  .map((pairs) => {
    let position = 0;
    return pairs.map(([gap, length]) => {
      const start = position + gap;
      position = start + length;
      return { start, end: position };
    });
  });

test('merging keeps every region, once and in order, in chunks that fit and are not more than greedy needs', () => {
  fc.assert(
    fc.property(regionLists, (regions) => {
      const merger = new RegionMerger(WHOLE_PAUSES);
      const chunks = [...regions.flatMap((region) => merger.push(region)), ...merger.finish()];
      expect(chunks.flatMap((chunk) => chunk.regions)).toEqual(regions);
      for (const { pieces, regions: members } of chunks) {
        expect(pieces).toEqual([{ start: members[0]!.start, end: members.at(-1)!.end }]);
        expect(windowSamplesOf(pieces)).toBeLessThanOrEqual(480_000);
      }
      expect(chunks.length).toBe(greedyChunkCount(regions, 480_000));
    }),
    { numRuns: 500 },
  );
});

function greedyChunkCount(regions: readonly SampleRange[], maxChunkSamples: number): number {
  let count = 0;
  let chunkStart = Number.NEGATIVE_INFINITY;
  for (const { start, end } of regions) {
    if (end - chunkStart <= maxChunkSamples) continue;
    chunkStart = start;
    count += 1;
  }
  return count;
}

const probabilityRuns = fc
  .array(
    fc.tuple(fc.constantFrom(0, 0.1, 0.34, 0.4, 0.6, 0.9, 1), fc.integer({ min: 1, max: 80 })),
    {
      maxLength: 40,
    },
  )
  .map((runs) => Float32Array.from(runs.flatMap(([value, count]) => new Array(count).fill(value))));

const chunkerCases = fc.record({
  probabilities: probabilityRuns,
  missingSamples: fc.integer({ min: 0, max: 511 }),
  pieceWindows: fc.integer({ min: 1, max: 200 }),
  maxChunkSec: fc.constantFrom(3, 10, 30),
  maxPauseSec: fc.constantFrom(0, 0.5, 1.01, Number.POSITIVE_INFINITY),
  speechPadMs: fc.constantFrom(0, 30, 200, 400),
  minSilenceMs: fc.constantFrom(0, 100, 2000),
});

test('chunks cover every window of speech exactly once, ordered, not too long, inside the audio', () => {
  fc.assert(
    fc.property(chunkerCases, (given) => {
      const { probabilities, missingSamples, pieceWindows, maxChunkSec, maxPauseSec } = given;
      const { speechPadMs, minSilenceMs } = given;
      const audioSamples = Math.max(0, probabilities.length * WINDOW - missingSamples);
      const vad = { ...DEFAULT_TRANSCRIBE_OPTIONS.vad, minSpeechMs: 0, speechPadMs, minSilenceMs };
      const maxChunkSamples = secToSamples(maxChunkSec);
      const limits = { maxChunkSamples, maxPauseSamples: secToSamples(maxPauseSec) };
      const chunker = new SpeechChunker(vad, WINDOW, limits);
      const chunks: SpeechChunk[] = [];
      for (let at = 0; at < probabilities.length; at += pieceWindows) {
        chunks.push(...chunker.push(probabilities.subarray(at, at + pieceWindows)));
      }
      chunks.push(...chunker.finish(audioSamples));

      let position = 0;
      for (const { start, end } of chunks.flatMap(({ regions }) => regions)) {
        expect(start).toBeGreaterThanOrEqual(position);
        expect(end).toBeGreaterThan(start);
        position = end;
      }
      expect(position).toBeLessThanOrEqual(audioSamples);
      for (const { pieces } of chunks) {
        expect(windowSamplesOf(pieces)).toBeLessThanOrEqual(maxChunkSamples);
      }
      const pieces = chunks.flatMap((chunk) => chunk.pieces);
      for (const [at, { start }] of pieces.entries()) {
        expect(start).toBeGreaterThanOrEqual(pieces[at - 1]?.end ?? 0);
      }
      const uncovered = [...probabilities.keys()].filter((window) => {
        const start = window * WINDOW;
        const end = Math.min(start + WINDOW, audioSamples);
        const covering = pieces.filter((piece) => piece.start <= start && piece.end >= end);
        return probabilities[window]! >= vad.onsetThreshold && covering.length !== 1;
      });
      expect(uncovered).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test('long pauses are shortened to what is kept, half on each side, and more speech fits', () => {
  const merger = new RegionMerger({ ...WHOLE_PAUSES, maxPauseSamples: secToSamples(1) });
  const regions = [rangeOf(0, 10), rangeOf(11, 15), rangeOf(300, 310), rangeOf(320, 330)];
  const chunks = [...regions.flatMap((region) => merger.push(region)), ...merger.finish()];
  expect(chunks.map(({ pieces }) => pieces)).toEqual([
    [rangeOf(0, 15.5), rangeOf(299.5, 310)],
    [rangeOf(320, 330)],
  ]);
});

test('an hour of speech without a pause makes chunks all along, not only at its end', () => {
  const chunker = new SpeechChunker(DEFAULT_TRANSCRIBE_OPTIONS.vad, WINDOW, WHOLE_PAUSES);
  const minute = new Float32Array(1875).fill(1);
  const counts = Array.from({ length: 60 }, () => chunker.push(minute).length);
  expect(counts.slice(2).every((count) => count >= 2)).toBe(true);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(120);
});
