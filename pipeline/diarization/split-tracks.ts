import { meanDirection } from './cosine.ts';
import { type FrameRange, framesIn } from './frame-runs.ts';
import type { LocalSpeaker } from './local-speakers.ts';
import type { HeardTrack, Track } from './tracks.ts';

/** How a track sounds in one place. */
export interface Excerpt {
  /** In frames of the recording. */
  readonly range: FrameRange;
  readonly embedding: Float32Array;
}

/** One excerpt alone is too uncertain to tell two people apart. */
const MIN_EXCERPTS = 2;

/**
 * Cuts a track where its voice changes: the segmentation sometimes hears two people in turn as one,
 * and following them through windows then joins them. Each side of a cut has two excerpts at least,
 * and they are further apart than one speaker's may be.
 */
export function splitAtVoiceChanges(
  track: Track,
  excerpts: readonly Excerpt[],
  maxDistance: number,
): HeardTrack[] {
  const starts = [0, ...changesIn(excerpts, 0, maxDistance), excerpts.length];
  if (starts.length === 2) return [{ ...track, embedding: meanOf(excerpts) }];
  return starts.slice(0, -1).map((first, index) => {
    const end = starts[index + 1]!;
    const range = {
      start: first === 0 ? 0 : middleBefore(first, excerpts),
      end: end === excerpts.length ? Infinity : middleBefore(end, excerpts),
    };
    return { ...clip(track, range), embedding: meanOf(excerpts.slice(first, end)) };
  });
}

/** Indices of the excerpts that begin with another voice, offset by `first`. */
function changesIn(excerpts: readonly Excerpt[], first: number, maxDistance: number): number[] {
  const vectors = excerpts.map(({ embedding }) => embedding);
  let best = { distance: maxDistance, at: -1 };
  for (let at = MIN_EXCERPTS; at <= excerpts.length - MIN_EXCERPTS; at++) {
    const distance = distanceBetween(vectors.slice(0, at), vectors.slice(at));
    if (distance > best.distance) best = { distance, at };
  }
  if (best.at < 0) return [];
  const before = changesIn(excerpts.slice(0, best.at), first, maxDistance);
  const after = changesIn(excerpts.slice(best.at), first + best.at, maxDistance);
  return [...before, first + best.at, ...after];
}

/**
 * The cosine distance of two means as half their squared distance over their lengths, less what the
 * spread of the excerpts adds to it by chance: noisy recordings do not make new people.
 */
function distanceBetween(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  const [meanA, meanB] = [average(a), average(b)];
  const spread = sum([
    ...a.map((vector) => squaredDistance(vector, meanA)),
    ...b.map((vector) => squaredDistance(vector, meanB)),
  ]);
  const variance = spread / (a.length + b.length - 2);
  const byChance = variance * (1 / a.length + 1 / b.length);
  const lengths = Math.hypot(...meanA) * Math.hypot(...meanB);
  return (squaredDistance(meanA, meanB) - byChance) / 2 / lengths;
}

const average = (vectors: readonly Float32Array[]): Float32Array =>
  Float32Array.from(
    vectors[0]!,
    (_, i) => sum(vectors.map((vector) => vector[i]!)) / vectors.length,
  );

const squaredDistance = (a: Float32Array, b: Float32Array): number =>
  a.reduce((total, value, i) => total + (value - b[i]!) ** 2, 0);

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const meanOf = (excerpts: readonly Excerpt[]): Float32Array =>
  meanDirection(excerpts.map(({ embedding }) => embedding));

const middleBefore = (index: number, excerpts: readonly Excerpt[]): number =>
  Math.round((excerpts[index - 1]!.range.end + excerpts[index]!.range.start) / 2);

/** What of a track lies in the range; a window belongs to the part that holds its middle. */
function clip(track: Track, range: FrameRange): Track {
  const solo = clipRuns(track.solo, range);
  const members = track.members.map((member) => clipMember(member, range));
  const windows = track.members
    .filter(({ startFrame, activity }) => {
      const middle = startFrame + activity.length / 2;
      return middle >= range.start && middle < range.end;
    })
    .map(({ window }) => window);
  return { members, windows: new Set(windows), solo, soloFrames: framesIn(solo) };
}

const clipRuns = (runs: readonly FrameRange[], range: FrameRange): FrameRange[] =>
  runs
    .map(({ start, end }) => ({
      start: Math.max(start, range.start),
      end: Math.min(end, range.end),
    }))
    .filter(({ start, end }) => end > start);

function clipMember(member: LocalSpeaker, range: FrameRange): LocalSpeaker {
  const solo = clipRuns(member.solo, range);
  const activity = member.activity.map((value, frame) => {
    const at = member.startFrame + frame;
    return at >= range.start && at < range.end ? value : 0;
  });
  return { ...member, activity, solo, soloFrames: framesIn(solo) };
}
