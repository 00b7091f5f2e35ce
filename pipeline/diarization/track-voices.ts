import type { SampleRange } from '../../audio/time.ts';
import type { Waveform } from '../../audio/waveform.ts';
import type { SpeakerSegmentationModel } from '../contracts.ts';
import type { FrameRange } from './frame-runs.ts';
import type { DiarizeModels } from './options.ts';
import { type Excerpt, splitAtVoiceChanges } from './split-tracks.ts';
import type { HeardTrack, Track } from './tracks.ts';
import { voiceSample } from './voice-sample.ts';

/** Neighbours overlap by half, so that a change is found to within half an excerpt; each then tells
 * less that is new than an excerpt of its own. */
const NEWS_OF_EXCERPT = 0.7;

interface ExcerptSource {
  readonly track: number;
  readonly ranges: readonly SampleRange[];
}

/**
 * How each track sounds where its person speaks alone, or in its first window where they never do, in
 * excerpts that cover it. A track whose voice changes becomes several.
 */
export async function hearTracks(
  waveform: Waveform,
  tracks: readonly Track[],
  models: DiarizeModels,
  options: { readonly signal: AbortSignal; readonly onProgress: (fraction: number) => void },
): Promise<HeardTrack[]> {
  const { embedding: model, segmentation: grid } = models;
  const sources = tracks.flatMap((track, index) =>
    excerptsOf(soloSamples(track, grid, waveform.sampleCount), model.excerptSamples).map(
      (ranges) => ({ track: index, ranges }),
    ),
  );
  const heard = tracks.map((): Excerpt[] => []);
  for (let first = 0; first < sources.length; first += model.batchSize) {
    const batch = sources.slice(first, first + model.batchSize);
    const samples = await readExcerpts(waveform, batch, model.excerptSamples);
    const vectors = await model.embed(samples, options.signal);
    for (const [index, { track, ranges }] of batch.entries()) {
      const heardSamples = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
      const voice = voiceSample(
        vectors[index]!,
        (heardSamples / model.excerptSamples) * NEWS_OF_EXCERPT,
      );
      heard[track]!.push({ range: framesOf(ranges, grid), voice });
    }
    options.onProgress(Math.min(1, (first + batch.length) / sources.length));
  }
  return tracks.flatMap((track, index) =>
    heard[index]!.length === 0
      ? []
      : splitAtVoiceChanges(track, heard[index]!, model.sameSpeaker.change),
  );
}

const framesOf = (ranges: readonly SampleRange[], grid: SpeakerSegmentationModel): FrameRange => ({
  start: Math.round((ranges[0]!.start - edgeOf(0, grid)) / grid.frameSamples),
  end: Math.round((ranges.at(-1)!.end - edgeOf(0, grid)) / grid.frameSamples),
});

/** Where a track's person speaks alone; of one who never does, everything they say. */
function soloSamples(
  track: Track,
  grid: SpeakerSegmentationModel,
  sampleCount: number,
): SampleRange[] {
  const toSamples = ({ start, end }: FrameRange): SampleRange => ({
    start: Math.min(sampleCount, edgeOf(start, grid)),
    end: Math.min(sampleCount, edgeOf(end, grid)),
  });
  const solo = track.solo.map(toSamples).filter(({ start, end }) => end > start);
  if (solo.length > 0) return solo;
  const { startFrame, activity } = track.members[0]!;
  return [toSamples({ start: startFrame, end: startFrame + activity.length })];
}

/** First sample of a frame that reaches half way to its neighbours. */
export const edgeOf = (frame: number, grid: SpeakerSegmentationModel): number =>
  grid.firstFrameCentre + frame * grid.frameSamples - Math.floor(grid.frameSamples / 2);

/** Stretches of `excerptSamples` that overlap by half, spread evenly; one that is too short is all there is. */
function excerptsOf(
  ranges: readonly SampleRange[],
  excerptSamples: number,
): (readonly SampleRange[])[] {
  const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  if (total === 0) return [];
  const count = Math.max(1, Math.round((2 * total) / excerptSamples) - 1);
  const spare = Math.max(0, total - excerptSamples);
  return Array.from({ length: count }, (_, index) => {
    const offset = count === 1 ? spare / 2 : (spare * index) / (count - 1);
    return cut(ranges, Math.floor(offset), excerptSamples);
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
  excerpts: readonly ExcerptSource[],
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
