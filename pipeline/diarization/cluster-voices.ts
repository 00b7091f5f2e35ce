import type { Breather } from '../breather.ts';
import { maxDistance, type SameSpeakerLimit } from './voice-sample.ts';
import { type Join, type Nearness, type Voice, VoiceTable } from './voice-table.ts';

export interface ClusterOptions {
  readonly limit: SameSpeakerLimit;
  readonly minClusters: number;
  readonly maxClusters: number;
  /** Groups of less speech are nobody by themselves: a laugh, a door, a voice off. */
  readonly minWeight: number;
}

export interface WeighedVoice extends Voice {
  /** Amount of speech. */
  readonly weight: number;
}

export interface Clusters {
  /** Indices of the voices of each person, the one with most speech first. */
  readonly people: readonly (readonly number[])[];
  /** Voices that are nobody by themselves. */
  readonly others: readonly number[];
}

/**
 * Groups voices into people: the two groups that are nearest are joined until none may be one person
 * (centroid linkage, with a limit that falls with the amount of speech). Where that leaves too many
 * or too few people who say enough to be one, joining goes on or is taken back as far as it must, so
 * that a laugh takes no person's place when the number of people is given. Groups that share a window
 * are never joined, so that `maxClusters` may be exceeded. Deterministic; O(n²) memory.
 */
export async function clusterVoices(
  voices: readonly WeighedVoice[],
  { limit, minClusters, maxClusters, minWeight }: ClusterOptions,
  breather: Breather,
): Promise<Clusters> {
  const table = await VoiceTable.of(voices, breather);
  const joins = await table.joinNearest(distanceWithin(limit), breather);
  const natural = joins.length;
  joins.push(...(await table.joinNearest(distance, breather)));
  const isAllowed = (people: number): boolean => people >= minClusters && people <= maxClusters;
  const counts = peopleAfterEach(joins, voices, minWeight);
  const level = nearestLevel(counts, natural, isAllowed) ?? natural;
  const groups = groupsAfter(joins.slice(0, level), voices);
  const isPerson = ({ weight }: Group): boolean => weight >= minWeight;
  const chosen = groups.some(isPerson) ? groups.filter(isPerson) : groups;
  return {
    people: chosen.map(({ members }) => members),
    others: groups.filter((group) => !chosen.includes(group)).flatMap(({ members }) => members),
  };
}

interface Group {
  readonly members: number[];
  weight: number;
}

/** How many groups have enough speech: `[n]` after `n` joins. */
function peopleAfterEach(
  joins: readonly Join[],
  voices: readonly WeighedVoice[],
  minWeight: number,
): number[] {
  const weights = voices.map(({ weight }) => weight);
  let people = weights.filter((weight) => weight >= minWeight).length;
  const counts = [people];
  for (const { a, b } of joins) {
    const before = Number(weights[a]! >= minWeight) + Number(weights[b]! >= minWeight);
    weights[a]! += weights[b]!;
    people += Number(weights[a]! >= minWeight) - before;
    counts.push(people);
  }
  return counts;
}

/** The level with an allowed number of people that is fewest joins away from `start`. */
function nearestLevel(
  counts: readonly number[],
  start: number,
  isAllowed: (people: number) => boolean,
): number | undefined {
  for (let away = 0; away <= counts.length; away++) {
    for (const level of [start + away, start - away]) {
      if (level >= 0 && level < counts.length && isAllowed(counts[level]!)) return level;
    }
  }
  return undefined;
}

/** By speech, most first. */
function groupsAfter(joins: readonly Join[], voices: readonly WeighedVoice[]): Group[] {
  const groups: (Group | null)[] = voices.map(({ weight }, index) => ({
    members: [index],
    weight,
  }));
  for (const { a, b } of joins) {
    groups[a]!.members.push(...groups[b]!.members);
    groups[a]!.weight += groups[b]!.weight;
    groups[b] = null;
  }
  return groups.filter((group) => group !== null).toSorted((x, y) => y.weight - x.weight);
}

/** Cosine distance of the means. */
const distance: Nearness = ({ aa, bb, ab }) => 1 - ab / (Math.sqrt(aa * bb) || 1);

/** Infinity where they are two people. */
const distanceWithin =
  (limit: SameSpeakerLimit): Nearness =>
  (pair) => {
    const value = distance(pair);
    return value <= maxDistance(limit, pair.countA, pair.countB) ? value : Infinity;
  };
