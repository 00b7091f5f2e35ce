import { expect, test } from 'vitest';
import { expectedOnset } from '../../../../pipeline/diarization/local-speakers.ts';

/** `[activity, how often]` */
const onsetOf = (...counts: readonly (readonly [number, number])[]): number => {
  const histogram = new Float64Array(256);
  for (const [activity, count] of counts) histogram[activity] = count;
  return expectedOnset(histogram);
};

test('where the segmentation is sure, speech begins at one half', () => {
  expect(onsetOf([2, 900], [253, 100])).toBe(127);
  expect(onsetOf([0, 10], [140, 90])).toBe(127);
});

test('where it is unsure for long, speech begins as low as gives the expected amount', () => {
  // 0.25 · 300 and 0.4 · 200 are 155 frames of speech: those of 0.4 are 200.
  expect(onsetOf([0, 500], [64, 300], [102, 200])).toBe(101);
});

test('what is hardly ever speech does not count', () => {
  expect(onsetOf([25, 1000], [253, 10])).toBe(127);
  expect(onsetOf([0, 1000])).toBe(127);
});
