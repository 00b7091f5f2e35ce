import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutAtLongestPause } from '../../../pipeline/speech-cuts.ts';
import {
  findSpeechRegions,
  SpeechRegionDetector,
  type SpeechRegionOptions,
} from '../../../pipeline/speech-regions.ts';
import { sileroSpeechTimestamps } from './silero-reference.ts';

const options: SpeechRegionOptions = {
  windowSamples: 10,
  onsetThreshold: 0.5,
  offsetThreshold: 0.35,
  minSpeechSamples: 10,
  minSilenceSamples: 20,
  speechPadSamples: 0,
  maxSpeechSamples: Number.POSITIVE_INFINITY,
  cutRule: cutAtLongestPause,
};

const regionsOf = (probabilities: number[], changed: Partial<SpeechRegionOptions> = {}) =>
  findSpeechRegions(Float32Array.from(probabilities), probabilities.length * 10, {
    ...options,
    ...changed,
  }).map(({ start, end }) => [start, end]);

test('silence has no regions', () => {
  expect(regionsOf([0, 0, 0])).toEqual([]);
});

test('a recording without samples has no regions', () => {
  expect(regionsOf([])).toEqual([]);
});

test('a region ends where its silence began', () => {
  expect(regionsOf([0, 1, 1, 0, 0, 0])).toEqual([[10, 30]]);
});

test('one quiet window does not split speech', () => {
  expect(regionsOf([1, 1, 0, 1, 1])).toEqual([[0, 50]]);
});

test('probabilities between the thresholds keep a region open but do not open one', () => {
  expect(regionsOf([0.4, 1, 0.4, 0.4, 0.4])).toEqual([[10, 50]]);
});

test('speech of exactly the minimum is dropped, as silero does', () => {
  expect(regionsOf([0, 1, 0, 0, 0, 0])).toEqual([]);
  expect(regionsOf([0, 1, 1, 0, 0, 0])).toEqual([[10, 30]]);
});

test('speech that runs to the end is closed at the last sample', () => {
  expect(regionsOf([0, 1, 1])).toEqual([[10, 30]]);
});

test('a pad stays inside the recording', () => {
  expect(regionsOf([1, 1, 0, 0, 0], { speechPadSamples: 5 })).toEqual([[0, 25]]);
  expect(regionsOf([0, 0, 0, 1, 1], { speechPadSamples: 5 })).toEqual([[25, 50]]);
});

test('regions closer than two pads share the gap', () => {
  expect(regionsOf([1, 1, 0, 0, 0, 1, 1], { speechPadSamples: 20 })).toEqual([
    [0, 35],
    [35, 70],
  ]);
});

test('an overlong region without a pause is cut in the middle of speech', () => {
  expect(regionsOf([1, 1, 1, 1, 1, 1, 1, 1], { maxSpeechSamples: 40 })).toEqual([
    [0, 40],
    [50, 80],
  ]);
});

test('a region waits only as long as the next one may still share its pad', () => {
  const detector = new SpeechRegionDetector({ ...options, speechPadSamples: 20 });
  expect(detector.push(Float32Array.of(1, 1, 0, 0, 0))).toEqual([]);
  expect(detector.push(Float32Array.of(0))).toEqual([{ start: 0, end: 40 }]);
  expect(detector.push(Float32Array.of(1, 1, 1))).toEqual([]);
  expect(detector.finish(90)).toEqual([{ start: 40, end: 90 }]);
});

/** Runs of equal probability, so that pauses and speech of realistic length occur. */
const probabilityRuns = fc
  .array(
    fc.tuple(fc.constantFrom(0, 0.2, 0.34, 0.4, 0.49, 0.5, 0.9), fc.integer({ min: 1, max: 25 })),
    {
      maxLength: 40,
    },
  )
  .map((runs) => Float32Array.from(runs.flatMap(([value, count]) => new Array(count).fill(value))));

const sileroOptions = fc.record({
  windowSamples: fc.constant(512),
  onsetThreshold: fc.constant(0.5),
  offsetThreshold: fc.constantFrom(0.35, 0.2),
  minSpeechSamples: fc.constantFrom(0, 1600, 4000),
  minSilenceSamples: fc.constantFrom(0, 512, 1600, 6400),
  speechPadSamples: fc.constantFrom(0, 480, 1601, 8000),
  maxSpeechSamples: fc.constantFrom(32_000, 80_000, Number.POSITIVE_INFINITY),
});

test('agrees with silero on any probabilities and options, whatever the pieces', () => {
  fc.assert(
    fc.property(
      probabilityRuns,
      sileroOptions,
      fc.integer({ min: 0, max: 511 }),
      fc.integer({ min: 1, max: 60 }),
      (probabilities, changed, missing, pieceWindows) => {
        const audioSamples = Math.max(0, probabilities.length * 512 - missing);
        const all = { ...changed, cutRule: cutAtLongestPause };
        const detector = new SpeechRegionDetector(all);
        const regions = [];
        for (let at = 0; at < probabilities.length; at += pieceWindows) {
          regions.push(...detector.push(probabilities.subarray(at, at + pieceWindows)));
        }
        regions.push(...detector.finish(audioSamples));
        expect(regions).toEqual(sileroSpeechTimestamps(probabilities, audioSamples, changed));
      },
    ),
    { numRuns: 1000 },
  );
});
