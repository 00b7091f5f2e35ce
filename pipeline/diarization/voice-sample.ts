import type { SpeakerEmbeddingModel } from '../contracts.ts';

/** What a voice sounds like in some amount of speech. */
export interface VoiceSample {
  /** Sum of the embeddings, each as often as it counts: its direction is the voice. */
  readonly sum: Float32Array;
  /** Excerpts of speech that it was made from; less than 1 for a short remark. */
  readonly count: number;
}

export type SameSpeakerLimit = SpeakerEmbeddingModel['sameSpeaker'];

/** The unit vector of a voice. */
export function directionOf({ sum }: Pick<VoiceSample, 'sum'>): Float32Array {
  let squares = 0;
  for (const value of sum) squares += value ** 2;
  const length = Math.sqrt(squares) || 1;
  return sum.map((value) => value / length);
}

/**
 * Up to which distance (cosine) two voices count as one person's. Averages of a few seconds scatter: a
 * limit that forgives that would join two people of whom minutes were heard, so it falls with speech.
 */
export const maxDistance = (
  { voice, excerpt }: SameSpeakerLimit,
  countA: number,
  countB: number,
): number => voice + excerpt * (1 / countA + 1 / countB);
