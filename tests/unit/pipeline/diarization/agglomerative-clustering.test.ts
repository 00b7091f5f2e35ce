import { describe, expect, test } from 'vitest';
import { Breather } from '../../../../pipeline/breather.ts';
import {
  agglomerativeClustering,
  type ClusteringItem,
  type ClusterOptions,
  type Clusters,
} from '../../../../pipeline/diarization/agglomerative-clustering.ts';
import { maxDistance, type SameSpeakerLimit } from '../../../../pipeline/diarization/centroid.ts';
import { longestPause } from '../../../fakes/longest-pause.ts';

const { signal } = new AbortController();
const degrees = (angle: number): Float32Array =>
  Float32Array.of(Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180));
const voiceOf = (
  direction: Float32Array,
  windows: readonly number[],
  count = 1,
): ClusteringItem => ({
  centroid: { sum: direction.map((value) => value * count), count },
  windows: new Set(windows),
  weight: count,
});
const voice = (angle: number, windows: readonly number[], count = 1): ClusteringItem =>
  voiceOf(degrees(angle), windows, count);
const ANY: ClusterOptions = {
  limit: { distance: 0.1, scatter: 0, changePoint: 1 },
  minClusters: 1,
  maxClusters: Number.POSITIVE_INFINITY,
  minWeight: 0,
};
const cluster = (
  voices: readonly ClusteringItem[],
  options: Partial<ClusterOptions> = {},
): Promise<Clusters> =>
  agglomerativeClustering(voices, { ...ANY, ...options }, new Breather(signal));
const sorted = (groups: readonly (readonly number[])[]): number[][] =>
  groups.map((group) => group.toSorted((a, b) => a - b)).toSorted((a, b) => a[0]! - b[0]!);
const peopleOf = async (
  voices: readonly ClusteringItem[],
  options: Partial<ClusterOptions> = {},
): Promise<number[][]> => sorted((await cluster(voices, options)).clusters);

/** The same numbers in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe('grouping voices', () => {
  test('joins what is near and keeps apart what is not', async () => {
    const voices = [voice(0, [0]), voice(80, [1]), voice(5, [2]), voice(85, [3]), voice(10, [4])];
    expect(await peopleOf(voices)).toEqual([
      [0, 2, 4],
      [1, 3],
    ]);
  });

  test('never joins two voices of one window, also through a third', async () => {
    const voices = [voice(0, [0]), voice(1, [0]), voice(0.4, [1])];
    expect(await peopleOf(voices)).toEqual([[0, 2], [1]]);
  });

  test('keeps to the least and the most groups that are wanted', async () => {
    const voices = [voice(0, [0]), voice(3, [1]), voice(40, [2]), voice(90, [3])];
    expect(await peopleOf(voices, { minClusters: 4 })).toHaveLength(4);
    expect(await peopleOf(voices, { maxClusters: 2 })).toEqual([[0, 1, 2], [3]]);
    expect(await peopleOf([])).toEqual([]);
  });

  test('equals joining the nearest of all pairs, compared anew each time', async () => {
    const random = randomNumbers(11);
    for (let round = 0; round < 60; round++) {
      const voices = Array.from({ length: 2 + (round % 15) }, () =>
        voice(random() * 120, [Math.floor(random() * 12)], 1 + random() * 5),
      );
      const limit = { distance: 0.02 + random() * 0.2, scatter: random() * 0.1, changePoint: 1 };
      expect(await peopleOf(voices, { limit })).toEqual(sorted(clusterNaively(voices, limit)));
    }
  });

  test('forgives a short remark a distance that it does not forgive minutes', async () => {
    const limit = { distance: 0.1, scatter: 0.1, changePoint: 1 };
    const pair = (count: number) => [voice(0, [0], count), voice(42, [1], count)];
    expect(await peopleOf(pair(1), { limit })).toEqual([[0, 1]]);
    expect(await peopleOf(pair(20), { limit })).toEqual([[0], [1]]);
  });

  test('joins what is near before a remark takes one of them away', async () => {
    const limit = { distance: 0.1, scatter: 0.1, changePoint: 1 };
    const voices = [voice(0, [0], 10), voice(10, [1], 10), voice(60, [0, 2], 0.2)];
    expect(await peopleOf(voices, { limit })).toEqual([[0, 1], [2]]);
  });

  test('gives no place of two clusters to a laugh, however many it may or must be', async () => {
    const random = randomNumbers(3);
    const clusters = [0, 30].flatMap((angle, person) =>
      Array.from({ length: 20 }, (_, index) =>
        voice(angle + 8 * random(), [2 * index + person], 2),
      ),
    );
    const voices = [...clusters, voice(150, [90], 0.6)];
    const indices = (from: number): number[] => Array.from({ length: 20 }, (_, i) => from + i);
    for (const limits of [
      { minClusters: 2, maxClusters: 2 },
      { minClusters: 2 },
      { minClusters: 1, maxClusters: 2 },
    ]) {
      // The limit would take both for one: only the number tells them apart.
      const distance = limits.minClusters === 2 ? 0.2 : 0.05;
      const limit = { distance, scatter: 0.05, changePoint: 1 };
      const { clusters: found, others } = await cluster(voices, {
        ...limits,
        limit,
        minWeight: 0.8,
      });
      expect(sorted(found)).toEqual([indices(0), indices(20)]);
      expect(others).toEqual([40]);
    }
  });

  test('keeps someone who says little beside one who says much, when two are asked for', async () => {
    const random = randomNumbers(5);
    const talker = Array.from({ length: 20 }, (_, i) => voice(25 * random(), [i], 2));
    const two = { minClusters: 2, maxClusters: 2, minWeight: 0.4 };
    expect(await peopleOf([...talker, voice(100, [50], 1)], two)).toEqual([
      Array.from({ length: 20 }, (_, i) => i),
      [20],
    ]);
  });

  test('of nothing but laughs takes what there is', async () => {
    const voices = [voice(0, [0], 0.3), voice(90, [1], 0.2)];
    expect(await peopleOf(voices, { minWeight: 1 })).toEqual([[0], [1]]);
  });

  test('groups two thousand voices of 256 numbers and lets the event loop turn meanwhile', async () => {
    const random = randomNumbers(7);
    const noise = (size: number): number => size * (random() + random() + random() - 1.5);
    const centres = Array.from({ length: 5 }, () =>
      Float32Array.from({ length: 256 }, () => noise(1)),
    );
    const voices = Array.from({ length: 2048 }, (_, index) => {
      const own = centres[index % 5]!.map((value) => value + noise(0.8));
      const length = Math.hypot(...own);
      return voiceOf(
        own.map((value) => value / length),
        [index],
        2,
      );
    });
    const options = { limit: { distance: 0.1, scatter: 0.4, changePoint: 1 } };
    const { result, pauseMs } = await longestPause(() => cluster(voices, options));
    expect(result.clusters).toHaveLength(5);
    expect(pauseMs).toBeLessThan(50);
  });
});

function clusterNaively(voices: readonly ClusteringItem[], limit: SameSpeakerLimit): number[][] {
  const groups = voices.map((_, index) => [index]);
  for (;;) {
    let best = { value: Infinity, a: -1, b: -1 };
    for (let a = 0; a < groups.length; a++) {
      for (let b = a + 1; b < groups.length; b++) {
        const value = distanceBetween(voices, [groups[a]!, groups[b]!], limit);
        if (value < best.value) best = { value, a, b };
      }
    }
    if (best.a < 0) return groups;
    groups[best.a]!.push(...groups.splice(best.b, 1)[0]!);
  }
}

/** Infinity for two clusters. */
function distanceBetween(
  voices: readonly ClusteringItem[],
  groups: readonly (readonly number[])[],
  limit: SameSpeakerLimit,
): number {
  const [a, b] = groups.map((group) => group.map((index) => voices[index]!));
  const cannotLink = a!.some((first) =>
    b!.some((second) => [...first.windows].some((window) => second.windows.has(window))),
  );
  if (cannotLink) return Infinity;
  const [first, second] = [a!, b!].map((group) => ({
    x: group.reduce((sum, { centroid }) => sum + centroid.sum[0]!, 0),
    y: group.reduce((sum, { centroid }) => sum + centroid.sum[1]!, 0),
    count: group.reduce((sum, { centroid }) => sum + centroid.count, 0),
  }));
  const product = first!.x * second!.x + first!.y * second!.y;
  const distance =
    1 - product / (Math.hypot(first!.x, first!.y) * Math.hypot(second!.x, second!.y));
  return distance <= maxDistance(limit, first!.count, second!.count) ? distance : Infinity;
}
