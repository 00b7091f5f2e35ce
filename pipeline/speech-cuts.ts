import { msToSamples, type SampleRange } from '../audio/time.ts';

/** A region that has grown beyond its limit, up to the window that is being looked at. */
export interface OverlongSpeech {
  readonly start: number;
  /** First sample of the current window. */
  readonly now: number;
  readonly windowSamples: number;
  readonly offsetThreshold: number;
  /** One probability per window of `[start, now)`. */
  readonly probabilities: readonly number[];
  /** Pauses of at least `MIN_PAUSE_SAMPLES` since the region or its last cut began, in time order. */
  readonly pauses: readonly SampleRange[];
}

/** The region ends at `end`; speech goes on at `nextStart`, or null when an onset must come first. */
interface SpeechCut {
  readonly end: number;
  readonly nextStart: number | null;
}

/** Decides where an overlong region is cut; both ends lie in `(start, now]`, on window borders. */
export type CutRule = (speech: OverlongSpeech) => SpeechCut;

/** A shorter dip in the probabilities is not a pause that may be cut at (silero-vad: 98 ms). */
export const MIN_PAUSE_SAMPLES = msToSamples(98);

/** Part of an overlong region in which a cut leaves both sides of useful length. */
const CUT_FROM = 0.5;
const CUT_UNTIL = 0.9;

/** silero-vad's rule: the longest pause so far, else right here, in the middle of speech. */
export const cutAtLongestPause: CutRule = ({ now, pauses }) => {
  const pause = longestOf(pauses);
  return pause ? { end: pause.start, nextStart: pause.end } : { end: now, nextStart: null };
};

/**
 * Cuts at the longest pause of the second half, else at the longest pause anywhere, else at the
 * least speech-like window of the second half. The last tenth is left alone where possible, so
 * that what remains after the cut is never a sliver. No sample of speech is lost.
 */
export const cutAtQuietestPoint: CutRule = (speech) => {
  const length = speech.now - speech.start;
  const from = speech.start + CUT_FROM * length;
  const until = speech.start + CUT_UNTIL * length;
  const pauses = pausesIn(speech);
  const pause =
    longestOf(pauses.filter(({ start, end }) => start >= from && end <= until)) ??
    longestOf(pauses);
  if (pause) return { end: pause.start, nextStart: pause.end };
  const cut = quietestWindow(speech, from, until);
  return { end: cut, nextStart: cut };
};

function longestOf(ranges: readonly SampleRange[]): SampleRange | undefined {
  let longest: SampleRange | undefined;
  for (const range of ranges) {
    if (!longest || range.end - range.start > longest.end - longest.start) longest = range;
  }
  return longest;
}

/** Runs of windows below the offset threshold: `pauses` lacks those seen before the last cut was made. */
function pausesIn({ start, windowSamples, offsetThreshold, probabilities }: OverlongSpeech) {
  const pauses: SampleRange[] = [];
  let runStart: number | null = null;
  for (let window = 1; window <= probabilities.length; window++) {
    const isQuiet = window < probabilities.length && probabilities[window]! < offsetThreshold;
    if (isQuiet) {
      runStart ??= window;
    } else if (runStart !== null) {
      const pause = {
        start: start + runStart * windowSamples,
        end: start + window * windowSamples,
      };
      if (pause.end - pause.start > MIN_PAUSE_SAMPLES) pauses.push(pause);
      runStart = null;
    }
  }
  return pauses;
}

/** First sample of the least speech-like window between two positions; of equal ones the last. */
function quietestWindow(speech: OverlongSpeech, from: number, until: number): number {
  const { start, windowSamples, probabilities } = speech;
  const firstWindow = Math.max(1, Math.ceil((from - start) / windowSamples));
  const lastWindow = Math.floor((until - start) / windowSamples);
  let quietest = Math.min(firstWindow, probabilities.length);
  for (let window = quietest; window <= lastWindow && window < probabilities.length; window++) {
    if (probabilities[window]! <= probabilities[quietest]!) quietest = window;
  }
  return start + quietest * windowSamples;
}
