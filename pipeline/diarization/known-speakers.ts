import { cosineDistance } from './cosine.ts';

/**
 * Names for voices: `result[voice]` is the known person it belongs to, or null. The nearest pairs
 * are named first, nobody twice, and only within `maxDistance` (cosine).
 */
export function nameKnownSpeakers(
  voices: readonly Float32Array[],
  known: ReadonlyMap<string, Float32Array>,
  maxDistance: number,
): (string | null)[] {
  const pairs = voices.flatMap((voice, index) =>
    [...known]
      .filter(([, embedding]) => embedding.length === voice.length)
      .map(([name, embedding]) => ({ index, name, distance: cosineDistance(voice, embedding) })),
  );
  pairs.sort((a, b) => a.distance - b.distance);
  const names = voices.map((): string | null => null);
  const taken = new Set<string>();
  for (const { index, name, distance } of pairs) {
    if (distance > maxDistance || names[index] !== null || taken.has(name)) continue;
    names[index] = name;
    taken.add(name);
  }
  return names;
}
