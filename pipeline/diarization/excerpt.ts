import type { FrameRange } from './frame-runs.ts';
import type { VoiceSample } from './voice-sample.ts';

/** How a track sounds in one place: a byte for each number of the voice, 1.2 MB for an hour's. */
export interface Excerpt {
  /** In frames of the recording. */
  readonly range: FrameRange;
  /** The embedding ÷ `scale`. */
  readonly values: Int8Array;
  readonly scale: number;
  /** How much speech it stands for, 1 for a whole excerpt. */
  readonly count: number;
}

const MAX_INT8 = 127;

export function excerptOf(embedding: Float32Array, range: FrameRange, count: number): Excerpt {
  let largest = 0;
  for (const value of embedding) largest = Math.max(largest, Math.abs(value));
  const scale = largest / MAX_INT8 || 1;
  const values = new Int8Array(embedding.length);
  for (let i = 0; i < values.length; i++) values[i] = Math.round(embedding[i]! / scale);
  return { range, values, scale, count };
}

/** The embedding, up to half a percent of its largest number. */
export function embeddingOf({ values, scale }: Excerpt): Float32Array {
  const embedding = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) embedding[i] = values[i]! * scale;
  return embedding;
}

/** All excerpts together; at least one. */
export function voiceOf(excerpts: readonly Excerpt[]): VoiceSample {
  const sum = new Float32Array(excerpts[0]!.values.length);
  let total = 0;
  for (const { values, scale, count } of excerpts) {
    total += count;
    for (let i = 0; i < sum.length; i++) sum[i]! += values[i]! * scale * count;
  }
  return { sum, count: total };
}
