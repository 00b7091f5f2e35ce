import type { SampleRange } from '../../audio/time.ts';
import type { Waveform } from '../../audio/waveform.ts';
import type { SpeakerEmbeddingModel, SpeakerSegmentationModel } from '../contracts.ts';
import type { FrameRange } from './frame-runs.ts';
import type { Track } from './tracks.ts';

export interface HeardTrack extends Track {
  /** Unit vector. */
  readonly embedding: Float32Array;
}

/** Enough to know a voice; a lecture costs no more than a long remark. */
const MAX_EXCERPTS = 8;

interface Excerpt {
  readonly track: number;
  readonly ranges: readonly SampleRange[];
}

/**
 * How each track sounds where its person speaks alone, or the track's first member's whole window
 * where they never do: the mean of up to eight excerpts spread over the track.
 */
export async function hearTracks(
  waveform: Waveform,
  tracks: readonly Track[],
  models: { readonly grid: SpeakerSegmentationModel; readonly embedding: SpeakerEmbeddingModel },
  options: { readonly signal: AbortSignal; readonly onProgress: (fraction: number) => void },
): Promise<HeardTrack[]> {
  const { embedding: model, grid } = models;
  const excerpts = tracks.flatMap((track, index) =>
    excerptsOf(soloSamples(track, grid, waveform.sampleCount), model.excerptSamples).map(
      (ranges) => ({ track: index, ranges }),
    ),
  );
  const sums = tracks.map((): Float32Array | null => null);
  for (let first = 0; first < excerpts.length; first += model.batchSize) {
    const batch = excerpts.slice(first, first + model.batchSize);
    const samples = await readExcerpts(waveform, batch, model.excerptSamples);
    const vectors = await model.embed(samples, options.signal);
    for (const [index, { track }] of batch.entries()) {
      sums[track] = add(sums[track] ?? null, vectors[index]!);
    }
    options.onProgress(Math.min(1, (first + batch.length) / excerpts.length));
  }
  return tracks.flatMap((track, index) => {
    const sum = sums[index];
    return sum ? [{ ...track, embedding: normalized(sum) }] : [];
  });
}

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

/** Stretches of `excerptSamples`, spread evenly; one that is too short is all there is. */
export function excerptsOf(
  ranges: readonly SampleRange[],
  excerptSamples: number,
): (readonly SampleRange[])[] {
  const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  if (total === 0) return [];
  const count = Math.min(MAX_EXCERPTS, Math.max(1, Math.round(total / excerptSamples)));
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
  excerpts: readonly Excerpt[],
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

function add(sum: Float32Array | null, vector: Float32Array): Float32Array {
  return sum === null ? vector.slice() : sum.map((value, i) => value + vector[i]!);
}

export function normalized(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
