import { describe, expect, test } from 'vitest';
import { clusterVoices, type Voice } from '../../../../pipeline/diarization/cluster-voices.ts';
import {
  MAX_DISTANCE,
  reluctance,
  type SameSpeakerLimit,
  togetherOf,
  voiceSample,
} from '../../../../pipeline/diarization/voice-sample.ts';

const voice = (angleDeg: number, windows: readonly number[], count = 1): Voice => ({
  sample: voiceSample(
    Float32Array.of(Math.cos((angleDeg * Math.PI) / 180), Math.sin((angleDeg * Math.PI) / 180)),
    count,
  ),
  windows: new Set(windows),
});
const ANY = {
  limit: { voice: 0.1, excerpt: 0, change: 1 },
  minClusters: 1,
  maxClusters: Number.POSITIVE_INFINITY,
};

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

  test('equals joining the nearest of all pairs, compared anew each time', () => {
    let seed = 11;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    for (let round = 0; round < 60; round++) {
      const voices = Array.from({ length: 2 + (round % 15) }, () =>
        voice(random() * 120, [Math.floor(random() * 12)], 1 + random() * 5),
      );
      const limit = { voice: 0.02 + random() * 0.2, excerpt: random() * 0.1, change: 1 };
      const options = { ...ANY, limit };
      const sorted = (groups: readonly (readonly number[])[]): string[] =>
        groups.map((group) => group.toSorted((a, b) => a - b).join(' ')).toSorted();
      expect(sorted(clusterVoices(voices, options))).toEqual(sorted(clusterNaively(voices, limit)));
    }
  });

  test('forgives a short remark a distance that it does not forgive minutes', () => {
    const limit = { voice: 0.1, excerpt: 0.1, change: 1 };
    const pair = (count: number) => [voice(0, [0], count), voice(42, [1], count)];
    expect(clusterVoices(pair(1), { ...ANY, limit })).toEqual([[0, 1]]);
    expect(clusterVoices(pair(20), { ...ANY, limit })).toEqual([[0], [1]]);
  });

  test('joins what is near before a remark takes one of them away', () => {
    const limit = { voice: 0.1, excerpt: 0.1, change: 1 };
    const voices = [voice(0, [0], 10), voice(10, [1], 10), voice(60, [0, 2], 0.2)];
    expect(clusterVoices(voices, { ...ANY, limit })).toEqual([[0, 1], [2]]);
  });

  test('groups two thousand voices in a moment', () => {
    const voices = Array.from({ length: 2048 }, (_, index) =>
      voice((index % 3) * 45 + (index % 7), [index]),
    );
    expect(clusterVoices(voices, ANY)).toHaveLength(3);
  }, 5000);
});

function clusterNaively(voices: readonly Voice[], limit: SameSpeakerLimit): number[][] {
  const groups = voices.map((_, index) => [index]);
  for (;;) {
    let best = { value: MAX_DISTANCE, a: -1, b: -1 };
    for (let a = 0; a < groups.length; a++) {
      for (let b = a + 1; b < groups.length; b++) {
        const value = reluctanceBetween(voices, [groups[a]!, groups[b]!], limit);
        if (value < best.value) best = { value, a, b };
      }
    }
    if (best.a < 0) return groups;
    groups[best.a]!.push(...groups.splice(best.b, 1)[0]!);
  }
}

function reluctanceBetween(
  voices: readonly Voice[],
  groups: readonly (readonly number[])[],
  limit: SameSpeakerLimit,
): number {
  const [a, b] = groups.map((group) => group.map((index) => voices[index]!));
  const isApart = a!.some((first) =>
    b!.some((second) => [...first.windows].some((window) => second.windows.has(window))),
  );
  if (isApart) return Infinity;
  const [first, second] = [a!, b!].map((group) => togetherOf(group.map(({ sample }) => sample)));
  return reluctance(first!, second!, limit);
}
