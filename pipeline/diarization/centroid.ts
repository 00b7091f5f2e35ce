import type { SpeakerEmbeddingModel } from '../contracts.ts';

/** What a voice sounds like in some amount of speech. */
export interface Centroid {
  /** Sum of the embeddings, each as often as it counts: its direction is the voice. */
  readonly sum: Float32Array;
  /** Embedding windows of speech that it was made from; less than 1 for a short remark. */
  readonly count: number;
}

export type SameSpeakerLimit = SpeakerEmbeddingModel['sameSpeaker'];

/** The unit vector of a voice. */
export function directionOf({ sum }: Pick<Centroid, 'sum'>): Float32Array {
  let squares = 0;
  for (const value of sum) squares += value ** 2;
  const length = Math.sqrt(squares) || 1;
  return sum.map((value) => value / length);
}

/**
 * Up to which distance (cosine) two speakers count as one speaker's. Averages of a few seconds scatter: a
 * limit that forgives that would join two speakers of whom minutes were heard, so it falls with speech.
 */
export const maxDistance = (
  { distance, scatter }: Pick<SameSpeakerLimit, 'distance' | 'scatter'>,
  countA: number,
  countB: number,
): number => distance + scatter * (1 / countA + 1 / countB);
