import type { Breather } from '../breather.ts';
import { maxDistance, type SameSpeakerLimit } from './centroid.ts';
import { type Linkage, type LinkageItem, LinkageTable, type Merge } from './linkage-table.ts';

export interface ClusterOptions {
  readonly limit: SameSpeakerLimit;
  readonly minClusters: number;
  readonly maxClusters: number;
  /** Groups of less speech are nobody by themselves: a laugh, a door, a voice off. */
  readonly minWeight: number;
}

export interface ClusteringItem extends LinkageItem {
  /** Amount of speech. */
  readonly weight: number;
}

export interface Clusters {
  /** Indices of the speakers of each speaker, the one with most speech first. */
  readonly clusters: readonly (readonly number[])[];
  /** Voices that are nobody by themselves. */
  readonly others: readonly number[];
}

/**
 * Groups speakers into speakers: the two groups that are nearest are joined until none may be one speaker
 * (centroid linkage, with a limit that falls with the amount of speech). Where that leaves too many
 * or too few speakers who say enough to be one, joining goes on or is taken back as far as it must, so
 * that a laugh takes no speaker's place when the number of speakers is given. Groups that share a window
 * are never joined, so that `maxClusters` may be exceeded. Deterministic; O(n²) memory.
 */
export async function agglomerativeClustering(
  items: readonly ClusteringItem[],
  { limit, minClusters, maxClusters, minWeight }: ClusterOptions,
  breather: Breather,
): Promise<Clusters> {
  const table = await LinkageTable.of(items, breather);
  const merges = await table.mergeNearest(distanceWithin(limit), breather);
  const natural = merges.length;
  merges.push(...(await table.mergeNearest(distance, breather)));
  const isAllowed = (clusters: number): boolean =>
    clusters >= minClusters && clusters <= maxClusters;
  const counts = clusterCounts(merges, items, minWeight);
  const level = nearestLevel(counts, natural, isAllowed) ?? natural;
  const groups = groupsAfter(merges.slice(0, level), items);
  const isSpeaker = ({ weight }: Group): boolean => weight >= minWeight;
  const chosen = groups.some(isSpeaker) ? groups.filter(isSpeaker) : groups;
  return {
    clusters: chosen.map(({ members }) => members),
    others: groups.filter((group) => !chosen.includes(group)).flatMap(({ members }) => members),
  };
}

interface Group {
  readonly members: number[];
  weight: number;
}

/** How many groups have enough speech: `[n]` after `n` joins. */
function clusterCounts(
  merges: readonly Merge[],
  items: readonly ClusteringItem[],
  minWeight: number,
): number[] {
  const weights = items.map(({ weight }) => weight);
  let clusters = weights.filter((weight) => weight >= minWeight).length;
  const counts = [clusters];
  for (const { a, b } of merges) {
    const before = Number(weights[a]! >= minWeight) + Number(weights[b]! >= minWeight);
    weights[a]! += weights[b]!;
    clusters += Number(weights[a]! >= minWeight) - before;
    counts.push(clusters);
  }
  return counts;
}

/** The level with an allowed number of speakers that is fewest joins away from `start`. */
function nearestLevel(
  counts: readonly number[],
  start: number,
  isAllowed: (clusters: number) => boolean,
): number | undefined {
  for (let away = 0; away <= counts.length; away++) {
    for (const level of [start + away, start - away]) {
      if (level >= 0 && level < counts.length && isAllowed(counts[level]!)) return level;
    }
  }
  return undefined;
}

/** By speech, most first. */
function groupsAfter(merges: readonly Merge[], items: readonly ClusteringItem[]): Group[] {
  const groups: (Group | null)[] = items.map(({ weight }, index) => ({
    members: [index],
    weight,
  }));
  for (const { a, b } of merges) {
    groups[a]!.members.push(...groups[b]!.members);
    groups[a]!.weight += groups[b]!.weight;
    groups[b] = null;
  }
  return groups.filter((group) => group !== null).toSorted((x, y) => y.weight - x.weight);
}

/** Cosine distance of the means. */
const distance: Linkage = ({ aa, bb, ab }) => 1 - ab / (Math.sqrt(aa * bb) || 1);

/** Infinity where they are two speakers. */
const distanceWithin =
  (limit: SameSpeakerLimit): Linkage =>
  (pair) => {
    const value = distance(pair);
    return value <= maxDistance(limit, pair.countA, pair.countB) ? value : Infinity;
  };
