import type { SampleRange } from '../../audio/time.ts';
import type { Waveform } from '../../audio/waveform.ts';
import type { SpeakerSegmentationModel } from '../contracts.ts';
import { type EmbeddingWindow, embeddingWindowOf } from './embedding-window.ts';
import type { FrameRange } from './frame-runs.ts';
import type { DiarizeModels } from './options.ts';
import { activeRuns, type EmbeddedTrack, type Track } from './tracks.ts';

/** Neighbours overlap by half, so that a change is found to within half an embedding window; each then tells
 * less that is new than an embedding window of its own. */
const WEIGHT_OF_WINDOW = 0.7;

export interface EmbedOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (fraction: number) => void;
}

/** One embedding window that is still to be heard. */
interface Source {
  readonly track: Track;
  readonly ranges: readonly SampleRange[];
  readonly isLast: boolean;
}

/**
 * How each track sounds where its speaker speaks alone, or where they speak at all if they never do, in
 * embedding windows that cover it.
 */
export async function embedTracks(
  waveform: Waveform,
  tracks: readonly Track[],
  models: DiarizeModels,
  { signal, onProgress }: EmbedOptions,
): Promise<EmbeddedTrack[]> {
  const { embedding: model, segmentation: grid } = models;
  const embedded: EmbeddedTrack[] = [];
  let batch: Source[] = [];
  let embeddingWindows: EmbeddingWindow[] = [];
  const embed = async (): Promise<void> => {
    const samples = await readWindows(waveform, batch, model.windowSamples);
    const vectors = await model.embed(samples, signal);
    for (const [index, { track, ranges, isLast }] of batch.entries()) {
      const count = (samplesIn(ranges) / model.windowSamples) * WEIGHT_OF_WINDOW;
      embeddingWindows.push(embeddingWindowOf(vectors[index]!, framesOf(ranges, grid), count));
      if (!isLast) continue;
      embedded.push({ track, embeddingWindows });
      embeddingWindows = [];
    }
    batch = [];
  };
  for (const [index, track] of tracks.entries()) {
    const speech = speechOf(track, grid, waveform.sampleCount);
    for (const source of sourcesOf(track, speech, model.windowSamples)) {
      batch.push(source);
      if (batch.length === model.batchSize) await embed();
    }
    onProgress(index / tracks.length);
  }
  if (batch.length > 0) await embed();
  onProgress(1);
  return embedded;
}

const samplesIn = (ranges: readonly SampleRange[]): number =>
  ranges.reduce((sum, { start, end }) => sum + end - start, 0);

const framesOf = (ranges: readonly SampleRange[], grid: SpeakerSegmentationModel): FrameRange => ({
  start: Math.round((ranges[0]!.start - edgeOf(0, grid)) / grid.frameSamples),
  end: Math.round((ranges.at(-1)!.end - edgeOf(0, grid)) / grid.frameSamples),
});

/** Where a track's speaker speaks alone; of one who never does, everything they say. */
function speechOf(
  track: Track,
  grid: SpeakerSegmentationModel,
  sampleCount: number,
): SampleRange[] {
  const toSamples = ({ start, end }: FrameRange): SampleRange => ({
    start: Math.min(sampleCount, edgeOf(start, grid)),
    end: Math.min(sampleCount, edgeOf(end, grid)),
  });
  const runs = track.solo.length > 0 ? track.solo : activeRuns(track);
  return runs.map(toSamples).filter(({ start, end }) => end > start);
}

/** First sample of a frame that reaches half way to its neighbours. */
export const edgeOf = (frame: number, grid: SpeakerSegmentationModel): number =>
  grid.firstFrameCentre + frame * grid.frameSamples - Math.floor(grid.frameSamples / 2);

/** Stretches of `windowSamples` that overlap by half, spread evenly; one that is too short is all there is. */
function sourcesOf(
  track: Track,
  speech: readonly SampleRange[],
  windowSamples: number,
): readonly Source[] {
  const total = samplesIn(speech);
  if (total === 0) return [];
  const count = Math.max(1, Math.round((2 * total) / windowSamples) - 1);
  const spare = Math.max(0, total - windowSamples);
  return Array.from({ length: count }, (_, index) => {
    const offset = count === 1 ? spare / 2 : (spare * index) / (count - 1);
    const ranges = cut(speech, Math.floor(offset), windowSamples);
    return { track, ranges, isLast: index === count - 1 };
  });
}

/** `length` samples from `offset` on, counted over all ranges one after the other. */
function cut(ranges: readonly SampleRange[], offset: number, length: number): SampleRange[] {
  const pieces: SampleRange[] = [];
  let position = 0;
  for (const { start, end } of ranges) {
    const from = Math.max(start, start + offset - position);
    const to = Math.min(end, start + offset + length - position);
    if (to > from) pieces.push({ start: from, end: to });
    position += end - start;
  }
  return pieces;
}

/** `[embedding windows, windowSamples]`; a short embedding window is repeated until it fills its row. */
async function readWindows(
  waveform: Waveform,
  embeddingWindows: readonly Source[],
  windowSamples: number,
): Promise<Float32Array<ArrayBuffer>> {
  const samples = new Float32Array(embeddingWindows.length * windowSamples);
  for (const [index, { ranges }] of embeddingWindows.entries()) {
    const row = samples.subarray(index * windowSamples, (index + 1) * windowSamples);
    let filled = 0;
    for (const range of ranges) {
      row.set(await waveform.read(range), filled);
      filled += range.end - range.start;
    }
    for (; filled < windowSamples; filled *= 2) {
      row.set(row.subarray(0, Math.min(filled, windowSamples - filled)), filled);
    }
  }
  return samples;
}
