import type { SpeakerEmbeddingModel } from '../contracts.ts';
import { directionOf } from '../diarization/voice-sample.ts';

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
  const { excerptSamples, name, sameSpeaker } = model;
  const step = excerptSamples / 2;
  const length = Math.min(waveform.length, excerptSamples + (MAX_EXCERPTS - 1) * step);
  const count = length / excerptSamples;
  if (count < MIN_COUNT) return null;
  const end = waveform.subarray(waveform.length - length);
  const excerpts = Math.max(1, Math.floor((length - excerptSamples) / step) + 1);
  const sum = new Float32Array(model.dimensions);
  for (let excerpt = 0; excerpt < excerpts; excerpt++) {
    const until = length - (excerpts - 1 - excerpt) * step;
    const part = end.slice(Math.max(0, until - excerptSamples), until);
    const [vector] = await model.embed(filled(part, excerptSamples), signal);
    for (let i = 0; i < sum.length; i++) sum[i]! += vector![i]!;
  }
  const embedding = [...directionOf({ sum })].map((value) => Math.round(DIGITS * value) / DIGITS);
  const { voice, excerpt } = sameSpeaker;
  return { model: name, embedding, count, sameSpeaker: { voice, excerpt } };
}

/** What is short is said again until it is long enough. */
function filled(part: Float32Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> {
  if (part.length === length) return part;
  return Float32Array.from({ length }, (_, sample) => part[sample % part.length]!);
}
