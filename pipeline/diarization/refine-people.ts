import type { Breather } from '../breather.ts';
import { cosineDistance } from './cosine.ts';
import type { Excerpt } from './excerpt.ts';
import type { HeardTrack, Track } from './tracks.ts';
import type { VoiceSample } from './voice-sample.ts';

/** Whose each excerpt of a track is. */
export interface Assigned {
  readonly heard: HeardTrack;
  readonly people: Uint8Array;
}

export interface RefineOptions {
  /** Only what is clear tells what a person sounds like. */
  readonly isClear: (track: Track) => boolean;
  readonly breather: Breather;
}

const MAX_ROUNDS = 10;

/**
 * Gives every excerpt to the person whose mean it is nearest to, until nobody moves (k-means, starting
 * from `assigned`, which it changes). Cutting tracks where a voice changes is right to within an
 * excerpt; knowing who is there to choose from, half an excerpt can be told. Returns the voices.
 */
export async function refinePeople(
  assigned: readonly Assigned[],
  peopleCount: number,
  { isClear, breather }: RefineOptions,
): Promise<VoiceSample[]> {
  const clear = assigned.filter(({ heard }) => isClear(heard.track));
  const teaching = clear.length > 0 ? clear : assigned;
  for (let round = 0; round < MAX_ROUNDS && peopleCount > 1; round++) {
    const means = meansOf(teaching, peopleCount);
    let moved = 0;
    for (const { heard, people } of assigned) {
      if (breather.isDue) await breather.rest();
      for (const [index, excerpt] of heard.excerpts.entries()) {
        const person = nearestMean(excerpt, means);
        if (person !== people[index]) moved += 1;
        people[index] = person;
      }
    }
    if (moved === 0) break;
  }
  return voicesOf(teaching, peopleCount);
}

function voicesOf(assigned: readonly Assigned[], peopleCount: number): VoiceSample[] {
  const dimensions = assigned[0]?.heard.excerpts[0]?.values.length ?? 0;
  const voices = Array.from({ length: peopleCount }, () => ({
    sum: new Float32Array(dimensions),
    count: 0,
  }));
  for (const { heard, people } of assigned) {
    for (const [index, { values, scale, count }] of heard.excerpts.entries()) {
      const voice = voices[people[index]!]!;
      voice.count += count;
      for (let i = 0; i < dimensions; i++) voice.sum[i]! += values[i]! * scale * count;
    }
  }
  return voices;
}

interface Mean {
  readonly values: Float32Array;
  /** Of its length, squared. */
  readonly squares: number;
}

const meansOf = (assigned: readonly Assigned[], peopleCount: number): Mean[] =>
  voicesOf(assigned, peopleCount).map(({ sum, count }) => {
    const values = sum.map((value) => value / (count || 1));
    return { values, squares: values.reduce((total, value) => total + value ** 2, 0) };
  });

/**
 * By Euclidean distance: the mean of a voice that scatters is short, and forgives more. Its square is
 * |e|² − 2 e·m + |m|², of which the first is the same for all.
 */
function nearestMean({ values, scale }: Excerpt, means: readonly Mean[]): number {
  let [nearest, least] = [0, Infinity];
  for (const [person, mean] of means.entries()) {
    let product = 0;
    for (let i = 0; i < values.length; i++) product += values[i]! * mean.values[i]!;
    const distance = mean.squares - 2 * scale * product;
    if (distance < least) [nearest, least] = [person, distance];
  }
  return nearest;
}

/** Of unit vectors, among those that `may` be chosen. */
export function nearestTo(
  voice: Float32Array,
  directions: readonly Float32Array[],
  may: (index: number) => boolean = () => true,
): number | undefined {
  let nearest: number | undefined;
  let least = Infinity;
  for (const [index, direction] of directions.entries()) {
    const distance = cosineDistance(voice, direction);
    if (distance >= least || !may(index)) continue;
    least = distance;
    nearest = index;
  }
  return nearest;
}
