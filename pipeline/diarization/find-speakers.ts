import type { Breather } from '../breather.ts';
import { agglomerativeClustering, type Clusters } from './agglomerative-clustering.ts';
import { type Centroid, directionOf, type SameSpeakerLimit } from './centroid.ts';
import type { Activity } from './local-speakers.ts';
import { type Assigned, nearestTo, reassignEmbeddings } from './reassign-embeddings.ts';
import { activityIn, rangeOf, splitAtChangePoints, type TrackPart } from './split-tracks.ts';
import type { EmbeddedTrack } from './tracks.ts';
import { haveCommon } from './windows.ts';

/** Everything that was heard of one speaker. */
export interface FoundSpeaker {
  readonly centroid: Centroid;
  readonly members: readonly Activity[];
  /** Whose members they are; a track may have several speakers. */
  readonly tracks: readonly EmbeddedTrack[];
}

export interface FindSpeakersOptions {
  readonly sameSpeaker: SameSpeakerLimit;
  readonly minSpeakers: number;
  readonly maxSpeakers: number;
  /** Shorter parts are too uncertain to find speakers by; they join who they sound like. */
  readonly minClusteredFrames: number;
  readonly framesPerSec: number;
}

/** Bounds the table of pairs to 21 MB; further parts join the speakers found among the longest. */
const MAX_CLUSTERED_PARTS = 2048;

/** A speaker says at least so much alone: a hundredth of all, between these bounds. */
const MIN_SPEAKER = { part: 0.01, leastSec: 0.5, mostSec: 4 } as const;

/**
 * Who the tracks belong to. Tracks are cut where the voice changes, speakers are found among the longest
 * parts, the others join them; then every embedding window goes to the speaker whose mean it is nearest to.
 */
export async function findSpeakers(
  tracks: readonly EmbeddedTrack[],
  options: FindSpeakersOptions,
  breather: Breather,
): Promise<FoundSpeaker[]> {
  const parts: TrackPart[] = [];
  for (const embedded of tracks) {
    if (breather.isDue) await breather.rest();
    parts.push(...splitAtChangePoints(embedded, options.sameSpeaker.changePoint));
  }
  parts.sort((a, b) => b.soloFrames - a.soloFrames);
  const isClear = ({ soloFrames }: { readonly soloFrames: number }): boolean =>
    soloFrames >= options.minClusteredFrames;
  const clear = parts.filter(isClear);
  const clustered = (clear.length > 0 ? clear : parts).slice(0, MAX_CLUSTERED_PARTS);
  const clusters = await cluster(clustered, options, breather);
  const speakers = await gather(parts, clustered, { clusters, options, breather });
  const assigned = assignedTracks(tracks, speakers);
  const centroids = await reassignEmbeddings(assigned, speakers.length, { isClear, breather });
  return foundSpeakersOf(assigned, centroids, breather);
}

function cluster(
  parts: readonly TrackPart[],
  { sameSpeaker, minSpeakers, maxSpeakers, framesPerSec }: FindSpeakersOptions,
  breather: Breather,
): Promise<Clusters> {
  const { part, leastSec, mostSec } = MIN_SPEAKER;
  const total = parts.reduce((sum, { soloFrames }) => sum + soloFrames, 0);
  const minWeight = Math.min(
    mostSec * framesPerSec,
    Math.max(leastSec * framesPerSec, part * total),
  );
  return agglomerativeClustering(
    parts.map(({ centroid, windows, soloFrames }) => ({
      ...{ centroid, windows, weight: soloFrames },
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

/** The speakers of the clusters, and everyone else's parts with whom they sound like. */
async function gather(
  parts: readonly TrackPart[],
  clustered: readonly TrackPart[],
  context: {
    readonly clusters: Clusters;
    readonly options: FindSpeakersOptions;
    readonly breather: Breather;
  },
): Promise<Group[]> {
  const { clusters, options, breather } = context;
  const partsOf = (indices: readonly number[]): TrackPart[] =>
    indices.map((index) => clustered[index]!);
  const speakers = clusters.clusters
    .slice(0, options.maxSpeakers)
    .map((own) => groupOf(partsOf(own)));
  const surplus = clusters.clusters.slice(options.maxSpeakers).flat();
  const left = [...partsOf([...surplus, ...clusters.others]), ...parts.slice(clustered.length)];
  for (const part of left) {
    if (breather.isDue) await breather.rest();
    join(speakers, part);
  }
  return speakers;
}

/** Adds a part to whom it sounds like, before all others to one who was not heard beside it. */
function join(speakers: readonly Group[], part: TrackPart): void {
  const centroid = directionOf(part.centroid);
  const directions = speakers.map(({ direction }) => direction);
  const isFree = (speaker: number): boolean =>
    !haveCommon(speakers[speaker]!.windows, part.windows);
  const nearest = nearestTo(centroid, directions, isFree) ?? nearestTo(centroid, directions)!;
  speakers[nearest]!.parts.push(part);
  for (const window of part.windows) speakers[nearest]!.windows.add(window);
}

function groupOf(parts: TrackPart[]): Group {
  const sum = new Float32Array(parts[0]!.centroid.sum.length);
  for (const { centroid } of parts)
    for (let i = 0; i < sum.length; i++) sum[i]! += centroid.sum[i]!;
  const windows = new Set(parts.flatMap((part) => [...part.windows]));
  return { direction: directionOf({ sum }), windows, parts };
}

function assignedTracks(tracks: readonly EmbeddedTrack[], speakers: readonly Group[]): Assigned[] {
  const assigned = new Map(
    tracks.map((embedded) => [
      embedded,
      { embedded, speakers: new Uint8Array(embedded.embeddingWindows.length) },
    ]),
  );
  for (const [speaker, { parts }] of speakers.entries()) {
    for (const { embedded, first, end } of parts)
      assigned.get(embedded)!.speakers.fill(speaker, first, end);
  }
  return [...assigned.values()];
}

/** Cuts the tracks where their speaker changes. */
async function foundSpeakersOf(
  assigned: readonly Assigned[],
  centroids: readonly Centroid[],
  breather: Breather,
): Promise<FoundSpeaker[]> {
  const found = centroids.map((centroid) => ({
    ...{ centroid, members: [] as Activity[], tracks: [] as EmbeddedTrack[] },
  }));
  for (const { embedded, speakers } of assigned) {
    for (let first = 0; first < speakers.length; ) {
      if (breather.isDue) await breather.rest();
      let end = first;
      while (end < speakers.length && speakers[end] === speakers[first]) end += 1;
      const speaker = found[speakers[first]!]!;
      speaker.members.push(...activityIn(embedded.track, rangeOf(embedded, { first, end })));
      speaker.tracks.push(embedded);
      first = end;
    }
  }
  return found;
}
