import { expect, test } from 'vitest';
import { powersetClasses } from '../../../models/segmentation/network-shape.ts';
import { speakerProbabilities } from '../../../models/segmentation/pyannote-segmentation.ts';

test('the classes of a powerset are every set of up to two speakers, in pyannote’s order', () => {
  expect(powersetClasses(7)).toEqual([[], [0], [1], [2], [0, 1], [0, 2], [1, 2]]);
  expect(powersetClasses(4)).toEqual([[], [0], [1], [0, 1]]);
  expect(powersetClasses(5)).toEqual([]);
});

test('a speaker’s probability is the sum over the classes with that speaker', () => {
  const probabilities = [0.1, 0.2, 0.05, 0.05, 0.3, 0.2, 0.1];
  const logits = Float32Array.from([...probabilities, 1, 0, 0, 0, 0, 0, 0], (value, index) =>
    index < 7 ? Math.log(value) + 3 : value * 100,
  );
  const speakers = [...speakerProbabilities(logits, powersetClasses(7))];
  for (const [index, expected] of [0.7, 0.45, 0.35, 0, 0, 0].entries()) {
    expect(speakers[index]).toBeCloseTo(expected, 5);
  }
});
