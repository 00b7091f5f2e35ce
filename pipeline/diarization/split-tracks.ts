import type { Centroid } from './centroid.ts';
import { centroidOf, type EmbeddingWindow, embeddingOf } from './embedding-window.ts';
import { type FrameRange, framesIn } from './frame-runs.ts';
import type { Activity } from './local-speakers.ts';
import type { EmbeddedTrack, Track } from './tracks.ts';

/** Successive embedding windows of a track. */
export interface Span {
  readonly first: number;
  /** Exclusive. */
  readonly end: number;
}

/** A span of a track that sounds like one voice. */
export interface TrackPart extends Span {
  readonly embedded: EmbeddedTrack;
  readonly centroid: Centroid;
  /** Nobody else of these windows can be this speaker. */
  readonly windows: ReadonlySet<number>;
  readonly soloFrames: number;
}

/** Longer spans are cut: they are joined again when speakers are grouped. Keeps the work linear. */
const MAX_SPAN_WINDOWS = 64;

/**
 * Cuts a track where its voice changes: the segmentation sometimes hears two speakers in turn as one,
 * and following them through windows then joins them. Of all ways to cut the embedding windows into spans
 * the one is taken in which they are nearest to the mean of their span (least squares), every cut
 * counting as a scatter of `changePoint`. A cut too many does no harm: grouping joins the parts.
 */
export function splitAtChangePoints(embedded: EmbeddedTrack, changePoint: number): TrackPart[] {
  const { track, embeddingWindows } = embedded;
  const spans = bestSpans(embeddingWindows, changePoint);
  return spans.map((span) => {
    const centroid = centroidOf(embeddingWindows.slice(span.first, span.end));
    const { windows, soloFrames } =
      spans.length === 1 ? track : shareOf(track, rangeOf(embedded, span));
    return { ...span, embedded, centroid, windows, soloFrames };
  });
}

/** Optimal partitioning (Jackson et al. 2005) with the squared distance to the span's mean. */
function bestSpans(embeddingWindows: readonly EmbeddingWindow[], changePoint: number): Span[] {
  const embeddings = embeddingWindows.map(embeddingOf);
  const best: { cost: number; first: number }[] = [{ cost: 0, first: 0 }];
  for (let end = 1; end <= embeddingWindows.length; end++) {
    let [cost, at] = [Infinity, 0];
    const sum = new Float64Array(embeddings[0]!.length);
    let count = 0;
    for (let first = end - 1; first >= Math.max(0, end - MAX_SPAN_WINDOWS); first--) {
      const weight = embeddingWindows[first]!.count;
      const embedding = embeddings[first]!;
      count += weight;
      let squares = 0;
      for (let i = 0; i < sum.length; i++) {
        sum[i]! += embedding[i]! * weight;
        squares += sum[i]! ** 2;
      }
      // Unit vectors: the squares around their mean are their number less |sum|² ÷ number.
      const total = best[first]!.cost + count - squares / count + changePoint;
      if (total < cost) [cost, at] = [total, first];
    }
    best.push({ cost, first: at });
  }
  const spans: Span[] = [];
  for (let end = embeddingWindows.length; end > 0; end = best[end]!.first) {
    spans.unshift({ first: best[end]!.first, end });
  }
  return spans;
}

/** The frames of a span: to the quiet places between its first and last embedding window and the others. */
export function rangeOf(
  { track, embeddingWindows }: EmbeddedTrack,
  { first, end }: Span,
): FrameRange {
  const edge = (at: number): number =>
    quietestBetween(track, embeddingWindows[at - 1]!, embeddingWindows[at]!);
  return {
    start: first === 0 ? 0 : edge(first),
    end: end === embeddingWindows.length ? Infinity : edge(end),
  };
}

/** Where speakers change: the middle of the longest quiet between the middles of two embedding windows. */
function quietestBetween({ solo }: Track, before: EmbeddingWindow, after: EmbeddingWindow): number {
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
