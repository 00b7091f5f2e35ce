import { type FrameRange, framesIn } from './frame-runs.ts';
import type { LocalSpeaker } from './local-speakers.ts';
import type { HeardTrack, Track } from './tracks.ts';
import { togetherOf, type VoiceSample } from './voice-sample.ts';

/** How a track sounds in one place. */
export interface Excerpt {
  /** In frames of the recording. */
  readonly range: FrameRange;
  readonly voice: VoiceSample;
}

/** Successive excerpts of one voice. */
interface Stretch {
  readonly first: number;
  /** Exclusive. */
  readonly end: number;
}

/** Longer stretches are cut: they are joined again when voices are grouped. Keeps the work linear. */
const MAX_STRETCH_EXCERPTS = 64;

/**
 * Cuts a track where its voice changes: the segmentation sometimes hears two people in turn as one,
 * and following them through windows then joins them. Of all ways to cut the excerpts into stretches
 * the one is taken in which they are nearest to the mean of their stretch (least squares), every cut
 * counting as a scatter of `changeScatter`. A cut too many does no harm: grouping joins the parts.
 */
export function splitAtVoiceChanges(
  track: Track,
  excerpts: readonly Excerpt[],
  changeScatter: number,
): HeardTrack[] {
  const stretches = bestStretches(excerpts, changeScatter);
  const voiceOf = ({ first, end }: Stretch): VoiceSample =>
    togetherOf(excerpts.slice(first, end).map(({ voice }) => voice));
  if (stretches.length === 1) return [{ ...track, voice: voiceOf(stretches[0]!) }];
  return stretches.map((stretch) => {
    const { first, end } = stretch;
    const range = {
      start: first === 0 ? 0 : quietestBetween(track, excerpts[first - 1]!, excerpts[first]!),
      end:
        end === excerpts.length
          ? Infinity
          : quietestBetween(track, excerpts[end - 1]!, excerpts[end]!),
    };
    return { ...clip(track, range), voice: voiceOf(stretch) };
  });
}

/** Optimal partitioning (Jackson et al. 2005) with the squared distance to the stretch's mean. */
function bestStretches(excerpts: readonly Excerpt[], changeScatter: number): Stretch[] {
  const best: { cost: number; first: number }[] = [{ cost: 0, first: 0 }];
  for (let end = 1; end <= excerpts.length; end++) {
    let [cost, at] = [Infinity, 0];
    const sum = new Float64Array(excerpts[0]!.voice.sum.length);
    let count = 0;
    for (let first = end - 1; first >= Math.max(0, end - MAX_STRETCH_EXCERPTS); first--) {
      const { voice } = excerpts[first]!;
      count += voice.count;
      let squares = 0;
      for (let i = 0; i < sum.length; i++) {
        sum[i]! += voice.sum[i]!;
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

/** Where people change: the middle of the longest quiet between the middles of two excerpts. */
function quietestBetween(track: Track, before: Excerpt, after: Excerpt): number {
  const start = Math.round((before.range.start + before.range.end) / 2);
  const end = Math.round((after.range.start + after.range.end) / 2);
  const speech = clipRuns(track.solo, { start, end });
  let best = { length: 0, middle: Math.round((before.range.end + after.range.start) / 2) };
  for (const [index, run] of speech.entries()) {
    const previous = speech[index - 1];
    if (previous === undefined) continue;
    const length = run.start - previous.end;
    if (length > best.length) best = { length, middle: Math.round((run.start + previous.end) / 2) };
  }
  return best.middle;
}

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
