import { type FrameRange, framesIn, unionOfRuns } from './frame-runs.ts';
import { FULL_ACTIVITY, type LocalSpeaker } from './local-speakers.ts';
import type { VoiceSample } from './voice-sample.ts';
import { haveCommon } from './windows.ts';

/** Local speakers of successive windows who are certainly one person. */
export interface Track {
  readonly members: readonly LocalSpeaker[];
  /** Nobody else of these windows can be this person. */
  readonly windows: ReadonlySet<number>;
  readonly solo: readonly FrameRange[];
  readonly soloFrames: number;
}

export interface HeardTrack extends Track {
  readonly voice: VoiceSample;
}

/** Half of what either was heard saying in the shared frames was heard of both. */
const MIN_AGREEMENT = 0.5;
const MIN_SHARED_SAMPLES = 8000;
const ACTIVE = FULL_ACTIVITY / 2;

interface Link {
  readonly a: number;
  readonly b: number;
  readonly strength: number;
}

/**
 * Follows people through overlapping windows: two local speakers who speak in the same frames are
 * one person. The surest links come first, and two people of one window never end in one track.
 */
export function linkLocalSpeakers(
  speakers: readonly LocalSpeaker[],
  frameSamples: number,
): Track[] {
  const links = findLinks(speakers, MIN_SHARED_SAMPLES / frameSamples);
  links.sort((x, y) => y.strength - x.strength || x.a - y.a || x.b - y.b);
  const groups = speakers.map((speaker, index) => ({
    members: [index],
    windows: new Set([speaker.window]),
  }));
  for (const { a, b } of links) {
    const [into, from] = [groups[a]!, groups[b]!];
    if (into === from || haveCommon(into.windows, from.windows)) continue;
    into.members.push(...from.members);
    for (const window of from.windows) into.windows.add(window);
    for (const member of from.members) groups[member] = into;
  }
  return [...new Set(groups)].map(({ members, windows }) => {
    const inOrder = members.toSorted((a, b) => a - b).map((index) => speakers[index]!);
    const solo = unionOfRuns(inOrder.flatMap((speaker) => speaker.solo));
    return { members: inOrder, windows, solo, soloFrames: framesIn(solo) };
  });
}

function findLinks(speakers: readonly LocalSpeaker[], minSharedFrames: number): Link[] {
  const links: Link[] = [];
  for (const [a, earlier] of speakers.entries()) {
    for (let b = a + 1; b < speakers.length; b++) {
      const later = speakers[b]!;
      const shift = later.startFrame - earlier.startFrame;
      if (shift >= earlier.activity.length) break;
      if (later.window === earlier.window) continue;
      const { both, either } = sharedFrames(earlier.activity, later.activity, shift);
      if (both < minSharedFrames || both < MIN_AGREEMENT * either) continue;
      links.push({ a, b, strength: (both / either) * both });
    }
  }
  return links;
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
