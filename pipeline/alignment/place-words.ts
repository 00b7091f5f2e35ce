import { msToSamples, type SampleRange } from '../../audio/time.ts';
import type { Word } from '../contracts.ts';
import type { TimedWord } from './timed-word.ts';

/** Shortest word where there is room. */
const MIN_WORD_SAMPLES = msToSamples(20);

/**
 * The words of one segment with times of the recording: in order, never overlapping, inside
 * `segment`, and as long as a segment has at least one sample per word, never empty.
 * @param toRecording place in the recording of each sample of the window, ascending. Where silence was
 * taken out between two samples, a word stays on that side of it where more of it is.
 */
export function placeWords(
  words: readonly TimedWord[],
  segment: SampleRange,
  toRecording: (windowSample: number) => number,
): Word[] {
  const spoken = words.filter(({ text }) => text.trim() !== '');
  const room = Math.floor((segment.end - segment.start) / Math.max(1, spoken.length));
  const shortest = Math.min(MIN_WORD_SAMPLES, room);
  let previousEnd = segment.start;
  return spoken.map(({ text, start, end, confidence }, i) => {
    const behind = (spoken.length - 1 - i) * shortest; // What the words after this one need.
    const range = onOneSide(Math.round(start), Math.round(end), toRecording);
    const placedStart = clamp(range.start, previousEnd, segment.end - behind - shortest);
    const placedEnd = clamp(range.end, placedStart + shortest, segment.end - behind);
    previousEnd = placedEnd;
    return { text: text.trim(), range: { start: placedStart, end: placedEnd }, confidence };
  });
}

const clamp = (value: number, least: number, most: number): number =>
  Math.max(least, Math.min(value, most));

/** The longest part of a window's range between two places where silence was taken out. */
function onOneSide(
  start: number,
  end: number,
  toRecording: (windowSample: number) => number,
): SampleRange {
  let best: SampleRange = { start: toRecording(start), end: toRecording(start) };
  for (let from = start; from < end; ) {
    const until = continuousUntil(from, end, toRecording);
    const length = until - from;
    if (length > best.end - best.start) {
      best = { start: toRecording(from), end: toRecording(from) + length };
    }
    from = until;
  }
  return best;
}

/** First sample behind `from` that is not as far from it in the recording as in the window, or `end`. */
function continuousUntil(
  from: number,
  end: number,
  toRecording: (windowSample: number) => number,
): number {
  const origin = toRecording(from) - from;
  const isContinuous = (sample: number): boolean => toRecording(sample) - sample === origin;
  if (isContinuous(end - 1)) return end;
  let known = from;
  let beyond = end - 1;
  while (beyond - known > 1) {
    const middle = (known + beyond) >> 1;
    if (isContinuous(middle)) known = middle;
    else beyond = middle;
  }
  return beyond;
}
