import type { SampleRange } from '../../audio/time.ts';
import type { Waveform } from '../../audio/waveform.ts';
import type { SpeakerSegmentationModel } from '../contracts.ts';
import { type Excerpt, excerptOf } from './excerpt.ts';
import type { FrameRange } from './frame-runs.ts';
import type { DiarizeModels } from './options.ts';
import { activeRuns, type HeardTrack, type Track } from './tracks.ts';

/** Neighbours overlap by half, so that a change is found to within half an excerpt; each then tells
 * less that is new than an excerpt of its own. */
const NEWS_OF_EXCERPT = 0.7;

export interface HearOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (fraction: number) => void;
}

/** One excerpt that is still to be heard. */
interface Source {
  readonly track: Track;
  readonly ranges: readonly SampleRange[];
  readonly isLast: boolean;
}

/**
 * How each track sounds where its person speaks alone, or where they speak at all if they never do, in
 * excerpts that cover it.
 */
export async function hearTracks(
  waveform: Waveform,
  tracks: readonly Track[],
  models: DiarizeModels,
  { signal, onProgress }: HearOptions,
): Promise<HeardTrack[]> {
  const { embedding: model, segmentation: grid } = models;
  const heard: HeardTrack[] = [];
  let batch: Source[] = [];
  let excerpts: Excerpt[] = [];
  const hear = async (): Promise<void> => {
    const samples = await readExcerpts(waveform, batch, model.excerptSamples);
    const vectors = await model.embed(samples, signal);
    for (const [index, { track, ranges, isLast }] of batch.entries()) {
      const count = (samplesIn(ranges) / model.excerptSamples) * NEWS_OF_EXCERPT;
      excerpts.push(excerptOf(vectors[index]!, framesOf(ranges, grid), count));
      if (!isLast) continue;
      heard.push({ track, excerpts });
      excerpts = [];
    }
    batch = [];
  };
  for (const [index, track] of tracks.entries()) {
    const speech = speechOf(track, grid, waveform.sampleCount);
    for (const source of sourcesOf(track, speech, model.excerptSamples)) {
      batch.push(source);
      if (batch.length === model.batchSize) await hear();
    }
    onProgress(index / tracks.length);
  }
  if (batch.length > 0) await hear();
  onProgress(1);
  return heard;
}

const samplesIn = (ranges: readonly SampleRange[]): number =>
  ranges.reduce((sum, { start, end }) => sum + end - start, 0);

const framesOf = (ranges: readonly SampleRange[], grid: SpeakerSegmentationModel): FrameRange => ({
  start: Math.round((ranges[0]!.start - edgeOf(0, grid)) / grid.frameSamples),
  end: Math.round((ranges.at(-1)!.end - edgeOf(0, grid)) / grid.frameSamples),
});

/** Where a track's person speaks alone; of one who never does, everything they say. */
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

/** Stretches of `excerptSamples` that overlap by half, spread evenly; one that is too short is all there is. */
function sourcesOf(
  track: Track,
  speech: readonly SampleRange[],
  excerptSamples: number,
): readonly Source[] {
  const total = samplesIn(speech);
  if (total === 0) return [];
  const count = Math.max(1, Math.round((2 * total) / excerptSamples) - 1);
  const spare = Math.max(0, total - excerptSamples);
  return Array.from({ length: count }, (_, index) => {
    const offset = count === 1 ? spare / 2 : (spare * index) / (count - 1);
    const ranges = cut(speech, Math.floor(offset), excerptSamples);
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

/** `[excerpts, excerptSamples]`; a short excerpt is repeated until it fills its row. */
async function readExcerpts(
  waveform: Waveform,
  excerpts: readonly Source[],
  excerptSamples: number,
): Promise<Float32Array<ArrayBuffer>> {
  const samples = new Float32Array(excerpts.length * excerptSamples);
  for (const [index, { ranges }] of excerpts.entries()) {
    const row = samples.subarray(index * excerptSamples, (index + 1) * excerptSamples);
    let filled = 0;
    for (const range of ranges) {
      row.set(await waveform.read(range), filled);
      filled += range.end - range.start;
    }
    for (; filled < excerptSamples; filled *= 2) {
      row.set(row.subarray(0, Math.min(filled, excerptSamples - filled)), filled);
    }
  }
  return samples;
}
