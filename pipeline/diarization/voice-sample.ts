import type { SpeakerEmbeddingModel } from '../contracts.ts';

/** What a voice sounds like in some amount of speech. */
export interface VoiceSample {
  /** Sum of the embeddings, each as often as it counts: its direction is the voice. */
  readonly sum: Float64Array;
  /** Excerpts of speech that it was made from; less than 1 for a short remark. */
  readonly count: number;
}

export type SameSpeakerLimit = SpeakerEmbeddingModel['sameSpeaker'];

export function voiceSample(embedding: Float32Array, count: number): VoiceSample {
  return { sum: Float64Array.from(embedding, (value) => value * count), count };
}

/** All samples together; at least one. */
export function togetherOf(samples: readonly VoiceSample[]): VoiceSample {
  const sum = new Float64Array(samples[0]!.sum.length);
  let count = 0;
  for (const sample of samples) {
    count += sample.count;
    for (let i = 0; i < sum.length; i++) sum[i]! += sample.sum[i]!;
  }
  return { sum, count };
}

/** Of two unit vectors, by cosine. */
export const MAX_DISTANCE = 2;

/**
 * Order in which voices are taken for one: by cosine distance, those that may be one person before
 * those that may not, which begin at `MAX_DISTANCE`. Averages of a few seconds scatter: a limit
 * that forgives that would join two people of whom minutes were heard, so it falls with the amount
 * of speech. The order does not, or short remarks would come first and take others with them.
 */
export function reluctance(a: VoiceSample, b: VoiceSample, limit: SameSpeakerLimit): number {
  let [product, lengthA, lengthB] = [0, 0, 0];
  for (let i = 0; i < a.sum.length; i++) {
    product += a.sum[i]! * b.sum[i]!;
    lengthA += a.sum[i]! ** 2;
    lengthB += b.sum[i]! ** 2;
  }
  const distance = 1 - product / (Math.sqrt(lengthA * lengthB) || 1);
  const isOne = distance <= limit.voice + limit.excerpt * (1 / a.count + 1 / b.count);
  return isOne ? distance : distance + MAX_DISTANCE;
}

/** The unit vector of a voice. */
export function directionOf({ sum }: VoiceSample): Float32Array {
  const length = Math.hypot(...sum) || 1;
  return Float32Array.from(sum, (value) => value / length);
}
