import { expect, test } from 'vitest';
import {
  batchSizesUpTo,
  everydayWindows,
  longestWindows,
} from '../../../models/whisper/warm-up.ts';

test.each([
  [1, [1]],
  [8, [1, 2, 4, 8]],
  [12, [1, 2, 4, 8, 12]],
  [32, [1, 2, 4, 8, 16, 32]],
])('batches of at most %i are filled up to %j, never beyond', (largest, sizes) => {
  expect(batchSizesUpTo(largest)).toEqual(sizes);
});

test('every stage of a decode has work, and rows are unlike', () => {
  const windows = everydayWindows(8);
  expect(windows.map(({ tokens }) => tokens)).toEqual([8, 8, 8, 8, 16, 16, 32, 32]);
  expect(new Set(windows.map(({ previousTokens }) => previousTokens)).size).toBe(2);
  expect(new Set(windows.map(({ temperature }) => temperature)).size).toBe(2);
  expect(everydayWindows(1)).toMatchObject([{ tokens: 32 }]);
  expect(everydayWindows(2).map(({ tokens }) => tokens)).toEqual([8, 32]);
});

test('the longest batch keeps all its rows for most of the tokens there are', () => {
  const windows = longestWindows({ maxTokens: 448 }, 8);
  expect(windows.map(({ tokens }) => tokens)).toEqual([168, 168, 168, 168, 196, 196, 224, 224]);
});
