import { expect, test } from 'vitest';
import {
  cutAtLongestPause,
  cutAtQuietestPoint,
  type OverlongSpeech,
} from '../../../pipeline/speech-cuts.ts';

const WINDOW = 512;

/** Twenty windows of speech, with other probabilities where `changed` says so. */
function speechOf(changed: Readonly<Record<number, number>> = {}): OverlongSpeech {
  const probabilities = Array.from({ length: 20 }, (_, window) => changed[window] ?? 1);
  return {
    start: 10 * WINDOW,
    now: 30 * WINDOW,
    windowSamples: WINDOW,
    offsetThreshold: 0.35,
    probabilities,
    pauses: [],
  };
}

const quiet = (...windows: number[]) => Object.fromEntries(windows.map((window) => [window, 0.1]));
const cutWindows = (speech: OverlongSpeech) => {
  const { end, nextStart } = cutAtQuietestPoint(speech);
  return [end / WINDOW - 10, (nextStart ?? Number.NaN) / WINDOW - 10];
};

test('silero cuts at the longest pause and goes on behind it', () => {
  const pauses = [
    { start: 6000, end: 8000 },
    { start: 9000, end: 12_000 },
    { start: 13_000, end: 16_000 },
  ];
  expect(cutAtLongestPause({ ...speechOf(), pauses })).toEqual({ end: 9000, nextStart: 12_000 });
});

test('silero cuts right here when there was no pause, and waits for an onset', () => {
  expect(cutAtLongestPause(speechOf())).toEqual({ end: 30 * WINDOW, nextStart: null });
});

test('the quietest point is the longest pause of the second half', () => {
  expect(cutWindows(speechOf(quiet(1, 2, 3, 4, 5, 6, 10, 11, 12, 13)))).toEqual([10, 14]);
});

test('a pause in the first half is better than a word in the second', () => {
  expect(cutWindows(speechOf({ ...quiet(2, 3, 4, 5), 14: 0.2 }))).toEqual([2, 6]);
});

test('a pause in the last tenth is better than a word', () => {
  expect(cutWindows(speechOf(quiet(16, 17, 18, 19)))).toEqual([16, 20]);
});

test('a dip shorter than 98 ms is no pause, but the least speech-like window of the second half', () => {
  expect(cutWindows(speechOf({ ...quiet(3, 4, 5), 13: 0.2 }))).toEqual([13, 13]);
});

test('without any dip the last window before the last tenth is taken', () => {
  expect(cutWindows(speechOf())).toEqual([18, 18]);
});
