import { describe, expect, test } from 'vitest';
import { nameKnownSpeakers } from '../../../../pipeline/diarization/known-speakers.ts';

const RULE = { distance: 0.15, margin: 0.1, minSamples: 16_000 };
const direction = (angle: number): Float32Array =>
  Float32Array.of(Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180));
const voice = (angle: number, totalSamples = 160_000) => ({
  embedding: direction(angle),
  totalSamples,
});
const known = (people: Readonly<Record<string, number>>) =>
  new Map(
    Object.entries(people).map(([name, angle]) => [
      name,
      { embedding: direction(angle), model: 'm' },
    ]),
  );
const namesOf = (
  voices: readonly ReturnType<typeof voice>[],
  people: Readonly<Record<string, number>>,
): (string | undefined)[] =>
  nameKnownSpeakers(voices, known(people), RULE).map((found) => found?.name);

describe('naming known people', () => {
  test('gives a near voice its name and how alike they are', () => {
    const [anna, stranger] = nameKnownSpeakers([voice(10), voice(80)], known({ Anna: 0 }), RULE);
    expect(anna!.name).toBe('Anna');
    expect(anna!.similarity).toBeCloseTo(Math.cos((10 * Math.PI) / 180), 5);
    expect(stranger).toBeNull();
  });

  test('leaves strangers without a name, also the nearest of them', () => {
    // 0.16 and 0.19: distances that were measured between different people.
    expect(namesOf([voice(33), voice(80)], { Anna: 0 })).toEqual([undefined, undefined]);
    expect(namesOf([voice(36)], { Anna: 0 })).toEqual([undefined]);
  });

  test('does not choose between two known people, or two voices, that are about as near', () => {
    expect(namesOf([voice(10)], { Anna: 0, Ben: 24 })).toEqual([undefined]);
    expect(namesOf([voice(10), voice(-14)], { Anna: 0 })).toEqual([undefined, undefined]);
    expect(namesOf([voice(2), voice(60)], { Anna: 0, Ben: 62 })).toEqual(['Anna', 'Ben']);
  });

  test('wants to hear someone for a while, and is not put off by who was hardly heard', () => {
    expect(namesOf([voice(5, 15_000)], { Anna: 0 })).toEqual([undefined]);
    expect(namesOf([voice(5), voice(8, 8000)], { Anna: 0 })).toEqual(['Anna', undefined]);
  });

  test('knows nobody where nobody is known', () => {
    expect(namesOf([voice(0)], {})).toEqual([undefined]);
    expect(namesOf([], { Anna: 0 })).toEqual([]);
  });
});
