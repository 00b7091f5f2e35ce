import { msToSamples, type SampleRange, secToSamples } from '../audio/time.ts';
import type { VadOptions } from './options.ts';
import { cutAtQuietestPoint } from './speech-cuts.ts';
import { SpeechRegionDetector } from './speech-regions.ts';
import { piecesAround, type WindowPieces, windowSamplesOf } from './time-map.ts';

/** Audio for one window of the recogniser, from the first region's start to the last's end. */
export interface SpeechChunk {
  /** What of it stands in the window: long pauses are shortened. */
  readonly pieces: WindowPieces;
  /** At least one, in time order. */
  readonly regions: readonly SampleRange[];
}

/** Below this a chunk gives the recogniser too little context, so it takes regions from its neighbour. */
const MIN_CHUNK_SAMPLES = secToSamples(5);

export interface ChunkLimits {
  /** Longest window, in samples of its pieces. */
  readonly maxChunkSamples: number;
  /** What is kept of a pause within a window; Infinity keeps all. */
  readonly maxPauseSamples: number;
}

/**
 * Merges speech regions greedily into chunks of at most `maxChunkSamples` (WhisperX's cut and
 * merge) with their long pauses shortened, then moves regions from a full chunk to a tiny one behind
 * it. Regions must be ordered, disjoint and not longer than a chunk.
 *
 * One chunk is held back, since the one after it may still take regions from it.
 */
export class RegionMerger {
  readonly #limits: ChunkLimits;
  #previous: readonly SampleRange[] = [];
  #current: readonly SampleRange[] = [];

  constructor(limits: ChunkLimits) {
    this.#limits = limits;
  }

  push(region: SampleRange): SpeechChunk[] {
    const grown = [...this.#current, region];
    if (lengthOf(grown, this.#limits) <= this.#limits.maxChunkSamples) {
      this.#current = grown;
      return [];
    }
    const [complete, held] = balance(this.#previous, this.#current, this.#limits);
    this.#previous = held;
    this.#current = [region];
    return complete.length > 0 ? [this.#toChunk(complete)] : [];
  }

  finish(): SpeechChunk[] {
    const chunks = balance(this.#previous, this.#current, this.#limits);
    this.#previous = [];
    this.#current = [];
    return chunks.filter((regions) => regions.length > 0).map((regions) => this.#toChunk(regions));
  }

  #toChunk(regions: readonly SampleRange[]): SpeechChunk {
    return { pieces: piecesAround(regions, this.#limits.maxPauseSamples), regions };
  }
}

const lengthOf = (regions: readonly SampleRange[], { maxPauseSamples }: ChunkLimits): number =>
  windowSamplesOf(piecesAround(regions, maxPauseSamples));

type RegionsOfTwoChunks = readonly [readonly SampleRange[], readonly SampleRange[]];

/**
 * Splits two neighbouring chunks anew when the second is tiny: at the widest pause that leaves
 * neither of them tiny, else where the shorter one is longest. Only if they are close together.
 */
function balance(
  first: readonly SampleRange[],
  second: readonly SampleRange[],
  limits: ChunkLimits,
): RegionsOfTwoChunks {
  const { maxChunkSamples } = limits;
  const minChunkSamples = Math.min(MIN_CHUNK_SAMPLES, maxChunkSamples / 4);
  const isWorthwhile =
    first.length > 1 &&
    second.length > 0 &&
    lengthOf(second, limits) < minChunkSamples &&
    second[0]!.start - first.at(-1)!.end <= minChunkSamples;
  if (!isWorthwhile) return [first, second];

  const regions = [...first, ...second];
  const splits = Array.from({ length: first.length }, (_, index) => index + 1)
    .map((splitAt) => describeSplit(regions, splitAt, limits))
    .filter(({ secondLength }) => secondLength <= maxChunkSamples);
  const natural = splits.filter(({ shorterLength }) => shorterLength >= minChunkSamples);
  const best =
    natural.length > 0
      ? natural.reduce((a, b) => (b.pause > a.pause ? b : a))
      : splits.reduce((a, b) => (b.shorterLength > a.shorterLength ? b : a));
  return [regions.slice(0, best.splitAt), regions.slice(best.splitAt)];
}

function describeSplit(regions: readonly SampleRange[], splitAt: number, limits: ChunkLimits) {
  const firstLength = lengthOf(regions.slice(0, splitAt), limits);
  const secondLength = lengthOf(regions.slice(splitAt), limits);
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

  constructor(vad: VadOptions, windowSamples: number, limits: ChunkLimits) {
    this.#merger = new RegionMerger(limits);
    this.#detector = new SpeechRegionDetector({
      windowSamples,
      onsetThreshold: vad.onsetThreshold,
      offsetThreshold: vad.offsetThreshold,
      minSpeechSamples: msToSamples(vad.minSpeechMs),
      minSilenceSamples: msToSamples(vad.minSilenceMs),
      speechPadSamples: msToSamples(vad.speechPadMs),
      maxSpeechSamples: limits.maxChunkSamples,
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
