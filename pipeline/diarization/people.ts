import { clusterVoices } from './cluster-voices.ts';
import type { LocalSpeaker } from './local-speakers.ts';
import type { HeardTrack } from './tracks.ts';
import {
  directionOf,
  reluctance,
  type SameSpeakerLimit,
  togetherOf,
  type VoiceSample,
} from './voice-sample.ts';
import { haveCommon } from './windows.ts';

/** Everything that was heard of one person. */
export interface Person {
  readonly embedding: Float32Array;
  readonly members: readonly LocalSpeaker[];
}

export interface PeopleOptions {
  readonly sameSpeaker: SameSpeakerLimit;
  readonly minSpeakers: number;
  readonly maxSpeakers: number;
  /** Shorter tracks are too uncertain to find people by; they join who they sound like. */
  readonly minClusteredFrames: number;
}

/** Bounds the distance table to 16 MB; further tracks join the people found among the longest. */
const MAX_CLUSTERED_TRACKS = 2048;

interface Group {
  readonly voice: VoiceSample;
  readonly windows: Set<number>;
  readonly tracks: HeardTrack[];
}

/** Who the tracks belong to: people are found among the longest tracks, the others join them. */
export function findPeople(tracks: readonly HeardTrack[], options: PeopleOptions): Person[] {
  const { sameSpeaker, minSpeakers, maxSpeakers, minClusteredFrames } = options;
  const byLength = tracks.toSorted((a, b) => b.soloFrames - a.soloFrames);
  const clear = byLength.filter(({ soloFrames }) => soloFrames >= minClusteredFrames);
  const clustered = (clear.length > 0 ? clear : byLength).slice(0, MAX_CLUSTERED_TRACKS);
  const clusters = clusterVoices(
    clustered.map(({ voice, windows }) => ({ sample: voice, windows })),
    { limit: sameSpeaker, minClusters: minSpeakers, maxClusters: maxSpeakers },
  );
  const groups = clusters
    .map((indices) => groupOf(indices.map((index) => clustered[index]!)))
    .toSorted((a, b) => framesOf(b) - framesOf(a));
  const people = groups.slice(0, maxSpeakers);
  const surplus = groups.slice(maxSpeakers).flatMap((group) => group.tracks);
  for (const track of [...surplus, ...byLength.slice(clustered.length)]) {
    join(people, track, options);
  }
  return people.map(({ voice, tracks: own }) => ({
    embedding: directionOf(voice),
    members: own.flatMap(({ members }) => members),
  }));
}

/** Adds a track to whom it sounds like most; someone heard beside all of them is another person. */
function join(people: Group[], track: HeardTrack, options: PeopleOptions): void {
  const possible = people.filter(({ windows }) => !haveCommon(windows, track.windows));
  const distance = ({ voice }: Group): number =>
    reluctance(voice, track.voice, options.sameSpeaker);
  const [nearest] = possible.toSorted((a, b) => distance(a) - distance(b));
  if (nearest) {
    nearest.tracks.push(track);
    for (const window of track.windows) nearest.windows.add(window);
  } else if (people.length < options.maxSpeakers) people.push(groupOf([track]));
}

const framesOf = (group: Group): number =>
  group.tracks.reduce((sum, { soloFrames }) => sum + soloFrames, 0);

function groupOf(tracks: HeardTrack[]): Group {
  const voice = togetherOf(tracks.map((track) => track.voice));
  return { voice, windows: new Set(tracks.flatMap(({ windows }) => [...windows])), tracks };
}
