import type { SpeakerEmbeddingModel } from '../contracts.ts';
import { directionOf } from '../diarization/centroid.ts';

/** What the end of a window sounds like, as far as a session needs it to know who speaks. Plain JSON. */
export interface WindowVoice {
  /** Vectors of other models cannot be compared with this one's. */
  readonly model: string;
  /** Unit vector. */
  readonly embedding: readonly number[];
  /** Excerpts of speech that it was made from. */
  readonly count: number;
  /** When two voices of this model are one person's. */
  readonly sameSpeaker: { readonly voice: number; readonly excerpt: number };
}

/** The words that become final with a window are near its end; who spoke before may be someone else. */
const MAX_EXCERPTS = 3;
/** Less speech than this part of an excerpt says next to nothing about who it is. */
const MIN_COUNT = 0.6;
const DIGITS = 1000;

/** How the last two excerpts' length of a window sounds; null where it is too short. */
export async function windowVoice(
  waveform: Float32Array<ArrayBuffer>,
  model: SpeakerEmbeddingModel,
  signal: AbortSignal,
): Promise<WindowVoice | null> {
  const { windowSamples, name, sameSpeaker } = model;
  const step = windowSamples / 2;
  const length = Math.min(waveform.length, windowSamples + (MAX_EXCERPTS - 1) * step);
  const count = length / windowSamples;
  if (count < MIN_COUNT) return null;
  const end = waveform.subarray(waveform.length - length);
  const excerpts = Math.max(1, Math.floor((length - windowSamples) / step) + 1);
  const samples = new Float32Array(excerpts * windowSamples);
  for (let excerpt = 0; excerpt < excerpts; excerpt++) {
    const until = length - (excerpts - 1 - excerpt) * step;
    const part = end.subarray(Math.max(0, until - windowSamples), until);
    // What is short is said again until it is long enough.
    for (let sample = 0; sample < windowSamples; sample++) {
      samples[excerpt * windowSamples + sample] = part[sample % part.length]!;
    }
  }
  const sum = new Float32Array(model.dimensions);
  for (const vector of await model.embed(samples, signal)) {
    for (let i = 0; i < sum.length; i++) sum[i]! += vector[i]!;
  }
  const embedding = [...directionOf({ sum })].map((value) => Math.round(DIGITS * value) / DIGITS);
  const limit = { voice: sameSpeaker.distance, excerpt: sameSpeaker.scatter };
  return { model: name, embedding, count, sameSpeaker: limit };
}
