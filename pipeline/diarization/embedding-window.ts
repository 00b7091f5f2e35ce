import type { Centroid } from './centroid.ts';
import type { FrameRange } from './frame-runs.ts';

/** How a track sounds in one place: a byte for each number of the voice, 1.2 MB for an hour's. */
export interface EmbeddingWindow {
  /** In frames of the recording. */
  readonly range: FrameRange;
  /** The embedding ÷ `scale`. */
  readonly values: Int8Array;
  readonly scale: number;
  /** How much speech it stands for, 1 for a whole embedding window. */
  readonly count: number;
}

const MAX_INT8 = 127;

export function embeddingWindowOf(
  embedding: Float32Array,
  range: FrameRange,
  count: number,
): EmbeddingWindow {
  let largest = 0;
  for (const value of embedding) largest = Math.max(largest, Math.abs(value));
  const scale = largest / MAX_INT8 || 1;
  const values = new Int8Array(embedding.length);
  for (let i = 0; i < values.length; i++) values[i] = Math.round(embedding[i]! / scale);
  return { range, values, scale, count };
}

/** The embedding, up to half a percent of its largest number. */
export function embeddingOf({ values, scale }: EmbeddingWindow): Float32Array {
  const embedding = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) embedding[i] = values[i]! * scale;
  return embedding;
}

/** All embedding windows together; at least one. */
export function centroidOf(embeddingWindows: readonly EmbeddingWindow[]): Centroid {
  const sum = new Float32Array(embeddingWindows[0]!.values.length);
  let total = 0;
  for (const { values, scale, count } of embeddingWindows) {
    total += count;
    for (let i = 0; i < sum.length; i++) sum[i]! += values[i]! * scale * count;
  }
  return { sum, count: total };
}
