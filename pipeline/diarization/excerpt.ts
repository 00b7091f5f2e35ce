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
  const largest = embedding.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = largest / MAX_INT8 || 1;
  const values = Int8Array.from(embedding, (value) => Math.round(value / scale));
  return { range, values, scale, count };
}

/** The embedding, up to half a percent of its largest number. */
export const embeddingOf = ({ values, scale }: Excerpt): Float32Array =>
  Float32Array.from(values, (value) => value * scale);

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
