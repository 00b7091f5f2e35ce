import { msToSamples, type SampleRange, secToSamples } from '../audio/time.ts';
import type { VadOptions } from './options.ts';
import { cutAtQuietestPoint } from './speech-cuts.ts';
import { SpeechRegionDetector } from './speech-regions.ts';

/** Continuous audio for one window of the recogniser, from the first region's start to the last's end. */
export interface SpeechChunk {
  readonly range: SampleRange;
  /** At least one, in time order. */
  readonly regions: readonly SampleRange[];
}

/** Below this a chunk gives the recogniser too little context, so it takes regions from its neighbour. */
const MIN_CHUNK_SAMPLES = secToSamples(5);

const spanOf = (regions: readonly SampleRange[]): SampleRange => ({
  start: regions[0]!.start,
  end: regions.at(-1)!.end,
});

const lengthOf = ({ start, end }: SampleRange): number => end - start;

const toChunk = (regions: readonly SampleRange[]): SpeechChunk => ({
  range: spanOf(regions),
  regions,
});

/**
 * Merges speech regions greedily into chunks of at most `maxChunkSamples` (WhisperX's cut and
 * merge), then moves regions from a full chunk to a tiny one behind it. Regions must be ordered,
 * disjoint and not longer than a chunk.
 *
 * One chunk is held back, since the one after it may still take regions from it.
 */
export class RegionMerger {
  readonly #maxChunkSamples: number;
  #previous: readonly SampleRange[] = [];
  #current: readonly SampleRange[] = [];

  constructor(maxChunkSamples: number) {
    this.#maxChunkSamples = maxChunkSamples;
  }

  push(region: SampleRange): SpeechChunk[] {
    const start = this.#current[0]?.start ?? region.start;
    if (region.end - start <= this.#maxChunkSamples) {
      this.#current = [...this.#current, region];
      return [];
    }
    const [complete, held] = balance(this.#previous, this.#current, this.#maxChunkSamples);
    this.#previous = held;
    this.#current = [region];
    return complete.length > 0 ? [toChunk(complete)] : [];
  }

  finish(): SpeechChunk[] {
    const chunks = balance(this.#previous, this.#current, this.#maxChunkSamples);
    this.#previous = [];
    this.#current = [];
    return chunks.filter((regions) => regions.length > 0).map(toChunk);
  }
}

type RegionsOfTwoChunks = readonly [readonly SampleRange[], readonly SampleRange[]];

/**
 * Splits two neighbouring chunks anew when the second is tiny: at the widest pause that leaves
 * neither of them tiny, else where the shorter one is longest. Only if they are close together.
 */
function balance(
  first: readonly SampleRange[],
  second: readonly SampleRange[],
  maxChunkSamples: number,
): RegionsOfTwoChunks {
  const minChunkSamples = Math.min(MIN_CHUNK_SAMPLES, maxChunkSamples / 4);
  const isWorthwhile =
    first.length > 1 &&
    second.length > 0 &&
    lengthOf(spanOf(second)) < minChunkSamples &&
    second[0]!.start - first.at(-1)!.end <= minChunkSamples;
  if (!isWorthwhile) return [first, second];

  const regions = [...first, ...second];
  const splits = Array.from({ length: first.length }, (_, index) => index + 1)
    .map((splitAt) => describeSplit(regions, splitAt))
    .filter(({ secondLength }) => secondLength <= maxChunkSamples);
  const natural = splits.filter(({ shorterLength }) => shorterLength >= minChunkSamples);
  const best =
    natural.length > 0
      ? natural.reduce((a, b) => (b.pause > a.pause ? b : a))
      : splits.reduce((a, b) => (b.shorterLength > a.shorterLength ? b : a));
  return [regions.slice(0, best.splitAt), regions.slice(best.splitAt)];
}

function describeSplit(regions: readonly SampleRange[], splitAt: number) {
  const firstLength = lengthOf(spanOf(regions.slice(0, splitAt)));
  const secondLength = lengthOf(spanOf(regions.slice(splitAt)));
  return {
    splitAt,
    pause: regions[splitAt]!.start - regions[splitAt - 1]!.end,
    secondLength,
    shorterLength: Math.min(firstLength, secondLength),
  };
}

/** Speech probabilities in, piece by piece; chunks out as they close, each at most `maxChunkSamples`. */
export class SpeechChunker {
  readonly #detector: SpeechRegionDetector;
  readonly #merger: RegionMerger;

  constructor(vad: VadOptions, windowSamples: number, maxChunkSamples: number) {
    this.#merger = new RegionMerger(maxChunkSamples);
    this.#detector = new SpeechRegionDetector({
      windowSamples,
      onsetThreshold: vad.onsetThreshold,
      offsetThreshold: vad.offsetThreshold,
      minSpeechSamples: msToSamples(vad.minSpeechMs),
      minSilenceSamples: msToSamples(vad.minSilenceMs),
      speechPadSamples: msToSamples(vad.speechPadMs),
      maxSpeechSamples: maxChunkSamples,
      cutRule: cutAtQuietestPoint,
    });
  }

  push(probabilities: Float32Array): SpeechChunk[] {
    return this.#detector.push(probabilities).flatMap((region) => this.#merger.push(region));
  }

  finish(audioSamples: number): SpeechChunk[] {
    const chunks = this.#detector
      .finish(audioSamples)
      .flatMap((region) => this.#merger.push(region));
    return [...chunks, ...this.#merger.finish()];
  }
}
