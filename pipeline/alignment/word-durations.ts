import { msToSamples } from '../../audio/time.ts';
import type { TimedWord } from './timed-word.ts';

/** How long the words of one window are; samples. */
export interface WordDurations {
  /** Median of those that last at all, at most 0.7 s. */
  readonly median: number;
  /** What a word at the edge of a pause may last. */
  readonly max: number;
}

const MAX_MEDIAN = msToSamples(700);
/** How far a word may reach beyond the recogniser's own timestamp. */
const TIMESTAMP_TOLERANCE = msToSamples(500);
const SENTENCE_END_MARKS = new Set('.。!！?？');

export function wordDurations(words: readonly TimedWord[]): WordDurations {
  const durations = words.map(({ start, end }) => end - start).filter((duration) => duration > 0);
  const median = Math.min(medianOf(durations), MAX_MEDIAN);
  return { median, max: 2 * median };
}

function medianOf(values: number[]): number {
  if (values.length === 0) return 0;
  values.sort((a, b) => a - b);
  const middle = values.length >> 1;
  return values.length % 2 === 1 ? values[middle]! : (values[middle - 1]! + values[middle]!) / 2;
}

/**
 * Cuts off pauses that were counted into a word at a sentence's end: a mark that lasts too long ends
 * early, a word behind a mark starts late. As openai-whisper's `add_word_timestamps`, before
 * punctuation is merged.
 */
export function trimSentenceEnds(words: readonly TimedWord[], { max }: WordDurations): TimedWord[] {
  return words.map((word, i) => {
    const previous = words[i - 1];
    if (previous === undefined || word.end - word.start <= max) return word;
    if (SENTENCE_END_MARKS.has(word.text)) return { ...word, end: word.start + max };
    if (SENTENCE_END_MARKS.has(previous.text)) return { ...word, start: word.end - max };
    return word;
  });
}

/** A stretch of text between two timestamps of the recogniser, where it gave them; samples. */
export interface TimedRun {
  readonly start: number | undefined;
  readonly end: number | undefined;
  /** End of the word before, or 0. */
  readonly lastSpeech: number;
}

/**
 * Cuts off pauses that were counted into the first two words and the last one of a run, and takes the
 * recogniser's timestamps where a word reaches half a second beyond them. As openai-whisper's
 * `add_word_timestamps`, after punctuation is merged.
 */
export function trimRunEdges(
  words: readonly TimedWord[],
  durations: WordDurations,
  run: TimedRun,
): TimedWord[] {
  const [first, second, ...others] = trimAfterPause(words, durations, run.lastSpeech);
  if (first === undefined) return [];
  const started = { ...first, start: startOf(first, durations, run.start) };
  const rest = second === undefined ? [] : [second, ...others];
  const last = rest.pop() ?? started;
  const ended = { ...last, end: endOf(last, durations, run.end) };
  return last === started ? [ended] : [started, ...rest, ended];
}

/** The first two words behind a pause of four median words may not be too long. */
function trimAfterPause(
  words: readonly TimedWord[],
  { median, max }: WordDurations,
  lastSpeech: number,
): readonly TimedWord[] {
  const [first, second, ...others] = words;
  if (first === undefined || first.end - lastSpeech <= 4 * median) return words;
  const isFirstLong = first.end - first.start > max;
  const isPairLong = second !== undefined && second.end - first.start > 2 * max;
  if (!isFirstLong && !isPairLong) return words;
  const isSecondLong = second !== undefined && second.end - second.start > max;
  const boundary = isSecondLong
    ? Math.max((first.start + second.end) / 2, second.end - max)
    : first.end;
  const trimmed = { ...first, start: Math.max(first.start, boundary - max, 0), end: boundary };
  if (second === undefined) return [trimmed];
  return [trimmed, isSecondLong ? { ...second, start: boundary } : second, ...others];
}

function startOf(first: TimedWord, { median }: WordDurations, start: number | undefined): number {
  const isTooEarly =
    start !== undefined && start < first.end && start - TIMESTAMP_TOLERANCE > first.start;
  return isTooEarly ? Math.max(0, Math.min(first.end - median, start)) : first.start;
}

function endOf(last: TimedWord, { median }: WordDurations, end: number | undefined): number {
  const isTooLate = end !== undefined && end > last.start && end + TIMESTAMP_TOLERANCE < last.end;
  return isTooLate ? Math.max(last.start + median, end) : last.end;
}
