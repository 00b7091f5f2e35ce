import { SttError } from '../../core/errors.ts';
import { cosineDistance } from './cosine.ts';

/** @throws {SttError} INPUT_INVALID unless every embedding has as many numbers as the model's. */
export function assertComparable(
  known: ReadonlyMap<string, Float32Array>,
  dimensions: number,
): void {
  for (const { length } of known.values()) {
    if (length === dimensions) continue;
    const message = `known_speakers: expected ${dimensions} numbers each, found ${length}`;
    throw new SttError('INPUT_INVALID', message);
  }
}

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
    [...known].map(([name, embedding]) => ({
      index,
      name,
      distance: cosineDistance(voice, embedding),
    })),
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
