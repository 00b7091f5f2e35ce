import type { SampleRange } from '../audio/time.ts';
import { type CutRule, MIN_PAUSE_SAMPLES } from './speech-cuts.ts';

export interface SpeechRegionOptions {
  /** Samples covered by one probability. */
  readonly windowSamples: number;
  readonly onsetThreshold: number;
  readonly offsetThreshold: number;
  /** Regions must be longer than this, pads not counted. */
  readonly minSpeechSamples: number;
  readonly minSilenceSamples: number;
  /** Added on both sides; two regions closer than two pads share the gap. */
  readonly speechPadSamples: number;
  /** Longest region, pads included; Infinity for no limit. */
  readonly maxSpeechSamples: number;
  readonly cutRule: CutRule;
}

interface OpenRegion {
  readonly start: number;
  readonly probabilities: number[];
  readonly pauses: SampleRange[];
}

/**
 * Speech probabilities in, piece by piece; speech regions out, as soon as nothing later can change
 * them. Same regions as `get_speech_timestamps` of silero-vad 6.2 with `cutAtLongestPause`.
 *
 * Memory: one region's probabilities, so it stays constant when `maxSpeechSamples` is finite.
 */
export class SpeechRegionDetector {
  readonly #options: SpeechRegionOptions;
  readonly #padding: RegionPadding;
  readonly #maxUnpaddedSamples: number;
  /** First sample of the next window. */
  #position = 0;
  #open: OpenRegion | null = null;
  #silenceStart: number | null = null;

  constructor(options: SpeechRegionOptions) {
    this.#options = options;
    this.#padding = new RegionPadding(options.speechPadSamples);
    this.#maxUnpaddedSamples =
      options.maxSpeechSamples - options.windowSamples - 2 * options.speechPadSamples;
  }

  /** The regions that are complete after these windows, in time order. */
  push(probabilities: Float32Array): SampleRange[] {
    const closed: SampleRange[] = [];
    for (const probability of probabilities) {
      for (const region of this.#step(probability)) closed.push(...this.#padding.add(region));
    }
    const nextStart = this.#open?.start ?? this.#position;
    return [...closed, ...this.#padding.releaseBefore(nextStart)];
  }

  /** The remaining regions; `audioSamples` is the length of the recording without its padding. */
  finish(audioSamples: number): SampleRange[] {
    const open = this.#open;
    this.#open = null;
    const isLongEnough = open && audioSamples - open.start > this.#options.minSpeechSamples;
    const closed = isLongEnough ? this.#padding.add({ start: open.start, end: audioSamples }) : [];
    return [...closed, ...this.#padding.finish(audioSamples)];
  }

  /** One window; the regions without pads that end with it. */
  #step(probability: number): SampleRange[] {
    const now = this.#position;
    this.#position += this.#options.windowSamples;
    if (probability >= this.#options.onsetThreshold) {
      this.#endPause(now);
      if (!this.#open) {
        this.#open = { start: now, probabilities: [probability], pauses: [] };
        return [];
      }
    }
    const cut = this.#cutIfOverlong(now);
    this.#open?.probabilities.push(probability);
    return [...cut, ...this.#closeIfSilent(probability, now)];
  }

  #endPause(now: number): void {
    const silenceStart = this.#silenceStart;
    this.#silenceStart = null;
    if (silenceStart !== null && now - silenceStart > MIN_PAUSE_SAMPLES) {
      this.#open?.pauses.push({ start: silenceStart, end: now });
    }
  }

  #cutIfOverlong(now: number): SampleRange[] {
    const open = this.#open;
    if (!open || now - open.start <= this.#maxUnpaddedSamples) return [];
    const { windowSamples, offsetThreshold, cutRule } = this.#options;
    const { end, nextStart } = cutRule({ ...open, now, windowSamples, offsetThreshold });
    this.#silenceStart = null;
    this.#open = nextStart === null ? null : this.#restAfterCut(open, nextStart);
    return [{ start: open.start, end }];
  }

  #restAfterCut(open: OpenRegion, start: number): OpenRegion {
    const droppedWindows = (start - open.start) / this.#options.windowSamples;
    return { start, probabilities: open.probabilities.slice(droppedWindows), pauses: [] };
  }

  #closeIfSilent(probability: number, now: number): SampleRange[] {
    const { offsetThreshold, minSilenceSamples, minSpeechSamples } = this.#options;
    const open = this.#open;
    if (!open || probability >= offsetThreshold) return [];
    this.#silenceStart ??= now;
    const end = this.#silenceStart;
    if (now - end < minSilenceSamples) return [];
    this.#open = null;
    this.#silenceStart = null;
    return end - open.start > minSpeechSamples ? [{ start: open.start, end }] : [];
  }
}

/** Widens regions by the pad. A region waits here until the start of the next one is known. */
class RegionPadding {
  readonly #padSamples: number;
  /** Start with its pad, end without. */
  #waiting: SampleRange | null = null;

  constructor(padSamples: number) {
    this.#padSamples = padSamples;
  }

  add(region: SampleRange): SampleRange[] {
    const waiting = this.#waiting;
    const gap = waiting ? region.start - waiting.end : Number.POSITIVE_INFINITY;
    const pad = gap < 2 * this.#padSamples ? Math.floor(gap / 2) : this.#padSamples;
    this.#waiting = { start: Math.max(0, region.start - pad), end: region.end };
    return waiting ? [{ start: waiting.start, end: waiting.end + pad }] : [];
  }

  /** The waiting region, once nothing that starts at `nextStart` or later can share its pad. */
  releaseBefore(nextStart: number): SampleRange[] {
    const waiting = this.#waiting;
    if (!waiting || nextStart - waiting.end < 2 * this.#padSamples) return [];
    return this.finish(nextStart);
  }

  finish(audioSamples: number): SampleRange[] {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (!waiting) return [];
    const end = Math.min(audioSamples, waiting.end + this.#padSamples);
    return [{ start: waiting.start, end }];
  }
}

/** All speech regions of a recording whose probabilities are at hand. */
export function findSpeechRegions(
  probabilities: Float32Array,
  audioSamples: number,
  options: SpeechRegionOptions,
): SampleRange[] {
  const detector = new SpeechRegionDetector(options);
  return [...detector.push(probabilities), ...detector.finish(audioSamples)];
}
