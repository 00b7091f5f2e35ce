import type { Breather } from '../breather.ts';
import { type Clusters, clusterVoices } from './cluster-voices.ts';
import type { Activity } from './local-speakers.ts';
import { type Assigned, nearestTo, refinePeople } from './refine-people.ts';
import { activityIn, rangeOf, splitAtVoiceChanges, type TrackPart } from './split-tracks.ts';
import type { HeardTrack } from './tracks.ts';
import { directionOf, type SameSpeakerLimit, type VoiceSample } from './voice-sample.ts';
import { haveCommon } from './windows.ts';

/** Everything that was heard of one person. */
export interface Person {
  readonly voice: VoiceSample;
  readonly members: readonly Activity[];
  /** Whose members they are; a track may have several people. */
  readonly tracks: readonly HeardTrack[];
}

export interface PeopleOptions {
  readonly sameSpeaker: SameSpeakerLimit;
  readonly minSpeakers: number;
  readonly maxSpeakers: number;
  /** Shorter parts are too uncertain to find people by; they join who they sound like. */
  readonly minClusteredFrames: number;
  readonly framesPerSec: number;
}

/** Bounds the table of pairs to 21 MB; further parts join the people found among the longest. */
const MAX_CLUSTERED_PARTS = 2048;

/** A person says at least so much alone: a hundredth of all, between these bounds. */
const MIN_PERSON = { part: 0.01, leastSec: 0.5, mostSec: 4 } as const;

/**
 * Who the tracks belong to. Tracks are cut where the voice changes, people are found among the longest
 * parts, the others join them; then every excerpt goes to the person whose mean it is nearest to.
 */
export async function findPeople(
  tracks: readonly HeardTrack[],
  options: PeopleOptions,
  breather: Breather,
): Promise<Person[]> {
  const parts: TrackPart[] = [];
  for (const heard of tracks) {
    if (breather.isDue) await breather.rest();
    parts.push(...splitAtVoiceChanges(heard, options.sameSpeaker.change));
  }
  parts.sort((a, b) => b.soloFrames - a.soloFrames);
  const isClear = ({ soloFrames }: { readonly soloFrames: number }): boolean =>
    soloFrames >= options.minClusteredFrames;
  const clear = parts.filter(isClear);
  const clustered = (clear.length > 0 ? clear : parts).slice(0, MAX_CLUSTERED_PARTS);
  const clusters = await cluster(clustered, options, breather);
  const people = await gather(parts, clustered, { clusters, options, breather });
  const assigned = assignedTracks(tracks, people);
  const voices = await refinePeople(assigned, people.length, { isClear, breather });
  return personsOf(assigned, voices, breather);
}

function cluster(
  parts: readonly TrackPart[],
  { sameSpeaker, minSpeakers, maxSpeakers, framesPerSec }: PeopleOptions,
  breather: Breather,
): Promise<Clusters> {
  const { part, leastSec, mostSec } = MIN_PERSON;
  const total = parts.reduce((sum, { soloFrames }) => sum + soloFrames, 0);
  const minWeight = Math.min(
    mostSec * framesPerSec,
    Math.max(leastSec * framesPerSec, part * total),
  );
  return clusterVoices(
    parts.map(({ voice, windows, soloFrames }) => ({
      ...{ sample: voice, windows, weight: soloFrames },
    })),
    { limit: sameSpeaker, minClusters: minSpeakers, maxClusters: maxSpeakers, minWeight },
    breather,
  );
}

interface Group {
  readonly direction: Float32Array;
  readonly windows: Set<number>;
  readonly parts: TrackPart[];
}

/** The people of the clusters, and everyone else's parts with whom they sound like. */
async function gather(
  parts: readonly TrackPart[],
  clustered: readonly TrackPart[],
  context: {
    readonly clusters: Clusters;
    readonly options: PeopleOptions;
    readonly breather: Breather;
  },
): Promise<Group[]> {
  const { clusters, options, breather } = context;
  const partsOf = (indices: readonly number[]): TrackPart[] =>
    indices.map((index) => clustered[index]!);
  const people = clusters.people.slice(0, options.maxSpeakers).map((own) => groupOf(partsOf(own)));
  const surplus = clusters.people.slice(options.maxSpeakers).flat();
  const left = [...partsOf([...surplus, ...clusters.others]), ...parts.slice(clustered.length)];
  for (const part of left) {
    if (breather.isDue) await breather.rest();
    join(people, part);
  }
  return people;
}

/** Adds a part to whom it sounds like, before all others to one who was not heard beside it. */
function join(people: readonly Group[], part: TrackPart): void {
  const voice = directionOf(part.voice);
  const directions = people.map(({ direction }) => direction);
  const isFree = (person: number): boolean => !haveCommon(people[person]!.windows, part.windows);
  const nearest = nearestTo(voice, directions, isFree) ?? nearestTo(voice, directions)!;
  people[nearest]!.parts.push(part);
  for (const window of part.windows) people[nearest]!.windows.add(window);
}

function groupOf(parts: TrackPart[]): Group {
  const sum = new Float32Array(parts[0]!.voice.sum.length);
  for (const { voice } of parts) for (let i = 0; i < sum.length; i++) sum[i]! += voice.sum[i]!;
  const windows = new Set(parts.flatMap((part) => [...part.windows]));
  return { direction: directionOf({ sum }), windows, parts };
}

function assignedTracks(tracks: readonly HeardTrack[], people: readonly Group[]): Assigned[] {
  const assigned = new Map(
    tracks.map((heard) => [heard, { heard, people: new Uint8Array(heard.excerpts.length) }]),
  );
  for (const [person, { parts }] of people.entries()) {
    for (const { heard, first, end } of parts) assigned.get(heard)!.people.fill(person, first, end);
  }
  return [...assigned.values()];
}

/** Cuts the tracks where their person changes. */
async function personsOf(
  assigned: readonly Assigned[],
  voices: readonly VoiceSample[],
  breather: Breather,
): Promise<Person[]> {
  const persons = voices.map((voice) => ({
    ...{ voice, members: [] as Activity[], tracks: [] as HeardTrack[] },
  }));
  for (const { heard, people } of assigned) {
    for (let first = 0; first < people.length; ) {
      if (breather.isDue) await breather.rest();
      let end = first;
      while (end < people.length && people[end] === people[first]) end += 1;
      const person = persons[people[first]!]!;
      person.members.push(...activityIn(heard.track, rangeOf(heard, { first, end })));
      person.tracks.push(heard);
      first = end;
    }
  }
  return persons;
}
