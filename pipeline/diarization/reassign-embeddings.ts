import type { Breather } from '../breather.ts';
import type { Centroid } from './centroid.ts';
import { cosineDistance } from './cosine.ts';
import type { EmbeddingWindow } from './embedding-window.ts';
import type { EmbeddedTrack, Track } from './tracks.ts';

/** Whose each embedding window of a track is. */
export interface Assigned {
  readonly embedded: EmbeddedTrack;
  readonly speakers: Uint8Array;
}

export interface RefineOptions {
  /** Only what is clear tells what a speaker sounds like. */
  readonly isClear: (track: Track) => boolean;
  readonly breather: Breather;
}

const MAX_ROUNDS = 10;

/**
 * Gives every embedding window to the speaker whose mean it is nearest to, until nobody moves (k-means, starting
 * from `assigned`, which it changes). Cutting tracks where a voice changes is right to within an
 * embedding window; knowing who is there to choose from, half an embedding window can be told. Returns the speakers.
 */
export async function reassignEmbeddings(
  assigned: readonly Assigned[],
  speakerCount: number,
  { isClear, breather }: RefineOptions,
): Promise<Centroid[]> {
  const clear = assigned.filter(({ embedded }) => isClear(embedded.track));
  const teaching = clear.length > 0 ? clear : assigned;
  for (let round = 0; round < MAX_ROUNDS && speakerCount > 1; round++) {
    const means = meansOf(teaching, speakerCount);
    let moved = 0;
    for (const { embedded, speakers } of assigned) {
      if (breather.isDue) await breather.rest();
      for (const [index, embeddingWindow] of embedded.embeddingWindows.entries()) {
        const speaker = nearestMean(embeddingWindow, means);
        if (speaker !== speakers[index]) moved += 1;
        speakers[index] = speaker;
      }
    }
    if (moved === 0) break;
  }
  return centroidsOf(teaching, speakerCount);
}

function centroidsOf(assigned: readonly Assigned[], speakerCount: number): Centroid[] {
  const dimensions = assigned[0]?.embedded.embeddingWindows[0]?.values.length ?? 0;
  const centroids = Array.from({ length: speakerCount }, () => ({
    sum: new Float32Array(dimensions),
    count: 0,
  }));
  for (const { embedded, speakers } of assigned) {
    for (const [index, { values, scale, count }] of embedded.embeddingWindows.entries()) {
      const centroid = centroids[speakers[index]!]!;
      centroid.count += count;
      for (let i = 0; i < dimensions; i++) centroid.sum[i]! += values[i]! * scale * count;
    }
  }
  return centroids;
}

interface Mean {
  readonly values: Float32Array;
  /** Of its length, squared. */
  readonly squares: number;
}

const meansOf = (assigned: readonly Assigned[], speakerCount: number): Mean[] =>
  centroidsOf(assigned, speakerCount).map(({ sum, count }) => {
    const values = sum.map((value) => value / (count || 1));
    return { values, squares: values.reduce((total, value) => total + value ** 2, 0) };
  });

/**
 * By Euclidean distance: the mean of a voice that scatters is short, and forgives more. Its square is
 * |e|² − 2 e·m + |m|², of which the first is the same for all.
 */
function nearestMean({ values, scale }: EmbeddingWindow, means: readonly Mean[]): number {
  let [nearest, least] = [0, Infinity];
  for (const [speaker, mean] of means.entries()) {
    let product = 0;
    for (let i = 0; i < values.length; i++) product += values[i]! * mean.values[i]!;
    const distance = mean.squares - 2 * scale * product;
    if (distance < least) [nearest, least] = [speaker, distance];
  }
  return nearest;
}

/** Of unit vectors, among those that `may` be chosen. */
export function nearestTo(
  centroid: Float32Array,
  directions: readonly Float32Array[],
  may: (index: number) => boolean = () => true,
): number | undefined {
  let nearest: number | undefined;
  let least = Infinity;
  for (const [index, direction] of directions.entries()) {
    const distance = cosineDistance(centroid, direction);
    if (distance >= least || !may(index)) continue;
    least = distance;
    nearest = index;
  }
  return nearest;
}
