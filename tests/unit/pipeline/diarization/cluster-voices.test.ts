import { describe, expect, test } from 'vitest';
import { clusterVoices, type Voice } from '../../../../pipeline/diarization/cluster-voices.ts';
import { cosineDistance } from '../../../../pipeline/diarization/cosine.ts';

const voice = (angleDeg: number, windows: readonly number[], weight = 1): Voice => ({
  embedding: Float32Array.of(
    Math.cos((angleDeg * Math.PI) / 180),
    Math.sin((angleDeg * Math.PI) / 180),
  ),
  weight,
  windows: new Set(windows),
});
const ANY = { maxDistance: 0.1, minClusters: 1, maxClusters: Number.POSITIVE_INFINITY };

describe('grouping voices', () => {
  test('joins what is near and keeps apart what is not', () => {
    const voices = [voice(0, [0]), voice(80, [1]), voice(5, [2]), voice(85, [3]), voice(10, [4])];
    expect(clusterVoices(voices, ANY)).toEqual([
      [0, 2, 4],
      [1, 3],
    ]);
  });

  test('never joins two voices of one window, also through a third', () => {
    const voices = [voice(0, [0]), voice(1, [0]), voice(0.4, [1])];
    expect(clusterVoices(voices, ANY)).toEqual([[0, 2], [1]]);
  });

  test('keeps to the least and the most groups that are wanted', () => {
    const voices = [voice(0, [0]), voice(3, [1]), voice(40, [2]), voice(90, [3])];
    expect(clusterVoices(voices, { ...ANY, minClusters: 4 })).toHaveLength(4);
    expect(clusterVoices(voices, { ...ANY, maxClusters: 2 })).toEqual([[0, 1, 2], [3]]);
    expect(clusterVoices([], ANY)).toEqual([]);
  });

  test('equals joining by distances that are averaged anew each time', () => {
    let seed = 11;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    for (let round = 0; round < 60; round++) {
      const voices = Array.from({ length: 2 + (round % 15) }, () =>
        voice(random() * 120, [Math.floor(random() * 12)], 1 + random() * 5),
      );
      const options = { ...ANY, maxDistance: 0.05 + random() * 0.3 };
      const sorted = (groups: readonly (readonly number[])[]): string[] =>
        groups.map((group) => group.toSorted((a, b) => a - b).join(' ')).toSorted();
      expect(sorted(clusterVoices(voices, options))).toEqual(
        sorted(clusterNaively(voices, options.maxDistance)),
      );
    }
  });

  test('groups two thousand voices in a moment', () => {
    const voices = Array.from({ length: 2048 }, (_, index) =>
      voice((index % 3) * 45 + (index % 7), [index]),
    );
    expect(clusterVoices(voices, ANY)).toHaveLength(3);
  }, 5000);
});

function clusterNaively(voices: readonly Voice[], maxDistance: number): number[][] {
  const groups = voices.map((_, index) => [index]);
  for (;;) {
    let best = { distance: maxDistance, a: -1, b: -1 };
    for (let a = 0; a < groups.length; a++) {
      for (let b = a + 1; b < groups.length; b++) {
        const distance = meanDistance(voices, groups[a]!, groups[b]!);
        if (distance < best.distance) best = { distance, a, b };
      }
    }
    if (best.a < 0) return groups;
    groups[best.a]!.push(...groups.splice(best.b, 1)[0]!);
  }
}

function meanDistance(voices: readonly Voice[], a: number[], b: number[]): number {
  let [sum, total] = [0, 0];
  for (const first of a.map((index) => voices[index]!)) {
    for (const second of b.map((index) => voices[index]!)) {
      if ([...first.windows].some((window) => second.windows.has(window))) return Infinity;
      const weight = first.weight * second.weight;
      sum += weight * cosineDistance(first.embedding, second.embedding);
      total += weight;
    }
  }
  return sum / total;
}
