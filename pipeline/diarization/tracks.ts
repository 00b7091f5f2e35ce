import { msToSamples } from '../../audio/time.ts';
import type { Breather } from '../breather.ts';
import type { EmbeddingWindow } from './embedding-window.ts';
import { type FrameRange, framesIn, runsWhere, unionOfRuns } from './frame-runs.ts';
import { FULL_ACTIVITY, type LocalSpeaker } from './local-speakers.ts';
import { haveCommon } from './windows.ts';

/** Local speakers of successive windows who are certainly one speaker. */
export interface Track {
  /** In time order. */
  readonly members: readonly LocalSpeaker[];
  /** Nobody else of these windows can be this speaker. */
  readonly windows: ReadonlySet<number>;
  readonly solo: readonly FrameRange[];
  readonly soloFrames: number;
}

/** How a track sounds from beginning to end. */
export interface EmbeddedTrack {
  readonly track: Track;
  /** In time order, at least one. */
  readonly embeddingWindows: readonly EmbeddingWindow[];
}

/** Half of what either was heard saying in the shared frames was heard of both. */
const MIN_AGREEMENT = 0.5;
const MIN_SHARED_SAMPLES = 8000;
/** Whoever talks for longer becomes several tracks, which their voice joins: memory stays bounded. */
const MAX_TRACK_SAMPLES = msToSamples(300_000);
const ACTIVE = FULL_ACTIVITY / 2;

interface Link {
  readonly a: number;
  readonly b: number;
}

interface Group {
  readonly members: number[];
  readonly windows: Set<number>;
  startFrame: number;
  endFrame: number;
}

/**
 * Follows speakers through overlapping windows: two local speakers who speak in the same frames are
 * one speaker. The surest links come first, and two speakers of one window never end in one track.
 */
export async function linkLocalSpeakers(
  speakers: readonly LocalSpeaker[],
  frameSamples: number,
  breather: Breather,
): Promise<Track[]> {
  const links = await findLinks(speakers, MIN_SHARED_SAMPLES / frameSamples, breather);
  const groups: Group[] = [];
  for (const [index, { window, startFrame, activity }] of speakers.entries()) {
    if (breather.isDue) await breather.rest();
    const endFrame = startFrame + activity.length;
    groups.push({ members: [index], windows: new Set([window]), startFrame, endFrame });
  }
  const maxFrames = MAX_TRACK_SAMPLES / frameSamples;
  for (const equallySure of links.reverse()) {
    for (const { a, b } of equallySure ?? []) {
      if (breather.isDue) await breather.rest();
      join(groups, groups[a]!, groups[b]!, maxFrames);
    }
  }
  const tracks: Track[] = [];
  for (const { members, windows } of new Set(groups)) {
    if (breather.isDue) await breather.rest();
    const inOrder = members.toSorted((a, b) => a - b).map((index) => speakers[index]!);
    const solo = unionOfRuns(inOrder.flatMap((speaker) => speaker.solo));
    tracks.push({ members: inOrder, windows, solo, soloFrames: framesIn(solo) });
  }
  return tracks;
}

function join(groups: Group[], into: Group, from: Group, maxFrames: number): void {
  if (into === from || haveCommon(into.windows, from.windows)) return;
  const startFrame = Math.min(into.startFrame, from.startFrame);
  const endFrame = Math.max(into.endFrame, from.endFrame);
  if (endFrame - startFrame > maxFrames) return;
  into.members.push(...from.members);
  for (const window of from.windows) into.windows.add(window);
  for (const member of from.members) groups[member] = into;
  into.startFrame = startFrame;
  into.endFrame = endFrame;
}

/** By how sure they are: the frames in which both are heard, times the agreement. */
async function findLinks(
  speakers: readonly LocalSpeaker[],
  minSharedFrames: number,
  breather: Breather,
): Promise<(Link[] | undefined)[]> {
  const byStrength: (Link[] | undefined)[] = [];
  for (const [a, earlier] of speakers.entries()) {
    if (breather.isDue) await breather.rest();
    for (let b = a + 1; b < speakers.length; b++) {
      const later = speakers[b]!;
      const shift = later.startFrame - earlier.startFrame;
      if (shift >= earlier.activity.length) break;
      if (later.window === earlier.window) continue;
      const { both, either } = sharedFrames(earlier.activity, later.activity, shift);
      if (both < minSharedFrames || both < MIN_AGREEMENT * either) continue;
      const strength = Math.floor((both / either) * both);
      byStrength[strength] ??= [];
      byStrength[strength].push({ a, b });
    }
  }
  return byStrength;
}

function sharedFrames(
  earlier: Uint8Array,
  later: Uint8Array,
  shift: number,
): { both: number; either: number } {
  let [both, either] = [0, 0];
  for (let frame = shift; frame < earlier.length; frame++) {
    const first = earlier[frame]! > ACTIVE;
    const second = later[frame - shift]! > ACTIVE;
    if (first && second) both += 1;
    if (first || second) either += 1;
  }
  return { both, either };
}

/** Where a track's speaker speaks, alone or not, in frames of the recording. */
export const activeRuns = ({ members }: Pick<Track, 'members'>): FrameRange[] =>
  unionOfRuns(
    members.flatMap(({ activity, startFrame }) =>
      runsWhere(activity.length, (frame) => activity[frame]! > ACTIVE).map(({ start, end }) => ({
        start: start + startFrame,
        end: end + startFrame,
      })),
    ),
  );
