import { type Excerpt, embeddingOf, voiceOf } from './excerpt.ts';
import { type FrameRange, framesIn } from './frame-runs.ts';
import type { Activity } from './local-speakers.ts';
import type { HeardTrack, Track } from './tracks.ts';
import type { VoiceSample } from './voice-sample.ts';

/** Successive excerpts of a track. */
export interface Stretch {
  readonly first: number;
  /** Exclusive. */
  readonly end: number;
}

/** A stretch of a track that sounds like one voice. */
export interface TrackPart extends Stretch {
  readonly heard: HeardTrack;
  readonly voice: VoiceSample;
  /** Nobody else of these windows can be this person. */
  readonly windows: ReadonlySet<number>;
  readonly soloFrames: number;
}

/** Longer stretches are cut: they are joined again when voices are grouped. Keeps the work linear. */
const MAX_STRETCH_EXCERPTS = 64;

/**
 * Cuts a track where its voice changes: the segmentation sometimes hears two people in turn as one,
 * and following them through windows then joins them. Of all ways to cut the excerpts into stretches
 * the one is taken in which they are nearest to the mean of their stretch (least squares), every cut
 * counting as a scatter of `changeScatter`. A cut too many does no harm: grouping joins the parts.
 */
export function splitAtVoiceChanges(heard: HeardTrack, changeScatter: number): TrackPart[] {
  const { track, excerpts } = heard;
  const stretches = bestStretches(excerpts, changeScatter);
  return stretches.map((stretch) => {
    const voice = voiceOf(excerpts.slice(stretch.first, stretch.end));
    const { windows, soloFrames } =
      stretches.length === 1 ? track : shareOf(track, rangeOf(heard, stretch));
    return { ...stretch, heard, voice, windows, soloFrames };
  });
}

/** Optimal partitioning (Jackson et al. 2005) with the squared distance to the stretch's mean. */
function bestStretches(excerpts: readonly Excerpt[], changeScatter: number): Stretch[] {
  const embeddings = excerpts.map(embeddingOf);
  const best: { cost: number; first: number }[] = [{ cost: 0, first: 0 }];
  for (let end = 1; end <= excerpts.length; end++) {
    let [cost, at] = [Infinity, 0];
    const sum = new Float64Array(embeddings[0]!.length);
    let count = 0;
    for (let first = end - 1; first >= Math.max(0, end - MAX_STRETCH_EXCERPTS); first--) {
      const weight = excerpts[first]!.count;
      const embedding = embeddings[first]!;
      count += weight;
      let squares = 0;
      for (let i = 0; i < sum.length; i++) {
        sum[i]! += embedding[i]! * weight;
        squares += sum[i]! ** 2;
      }
      // Unit vectors: the squares around their mean are their number less |sum|² ÷ number.
      const total = best[first]!.cost + count - squares / count + changeScatter;
      if (total < cost) [cost, at] = [total, first];
    }
    best.push({ cost, first: at });
  }
  const stretches: Stretch[] = [];
  for (let end = excerpts.length; end > 0; end = best[end]!.first) {
    stretches.unshift({ first: best[end]!.first, end });
  }
  return stretches;
}

/** The frames of a stretch: to the quiet places between its first and last excerpt and the others. */
export function rangeOf({ track, excerpts }: HeardTrack, { first, end }: Stretch): FrameRange {
  const edge = (at: number): number => quietestBetween(track, excerpts[at - 1]!, excerpts[at]!);
  return {
    start: first === 0 ? 0 : edge(first),
    end: end === excerpts.length ? Infinity : edge(end),
  };
}

/** Where people change: the middle of the longest quiet between the middles of two excerpts. */
function quietestBetween({ solo }: Track, before: Excerpt, after: Excerpt): number {
  const start = Math.round((before.range.start + before.range.end) / 2);
  const end = Math.round((after.range.start + after.range.end) / 2);
  const speech = clipRuns(solo, { start, end });
  let best = { length: 0, middle: Math.round((before.range.end + after.range.start) / 2) };
  for (const [index, run] of speech.entries()) {
    const previous = speech[index - 1];
    if (previous === undefined) continue;
    const length = run.start - previous.end;
    if (length > best.length) best = { length, middle: Math.round((run.start + previous.end) / 2) };
  }
  return best.middle;
}

/** How much of a track lies in the range; a window belongs to the part that holds its middle. */
function shareOf(track: Track, range: FrameRange): Pick<Track, 'windows' | 'soloFrames'> {
  const windows = track.members
    .filter(({ startFrame, activity }) => {
      const middle = startFrame + activity.length / 2;
      return middle >= range.start && middle < range.end;
    })
    .map(({ window }) => window);
  return { windows: new Set(windows), soloFrames: framesIn(clipRuns(track.solo, range)) };
}

/** What is heard of a track in the range, as views: nothing is copied. */
export const activityIn = ({ members }: Track, range: FrameRange): Activity[] =>
  members
    .filter(
      ({ startFrame, activity }) =>
        startFrame < range.end && startFrame + activity.length > range.start,
    )
    .map(({ startFrame, activity }) => ({
      startFrame: Math.max(startFrame, range.start),
      activity: activity.subarray(
        Math.max(0, range.start - startFrame),
        Math.max(0, range.end - startFrame),
      ),
    }));

const clipRuns = (runs: readonly FrameRange[], range: FrameRange): FrameRange[] =>
  runs
    .map(({ start, end }) => ({
      start: Math.max(start, range.start),
      end: Math.min(end, range.end),
    }))
    .filter(({ start, end }) => end > start);
