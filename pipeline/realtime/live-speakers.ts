import { directionOf, maxDistance } from '../diarization/centroid.ts';
import { cosineDistance } from '../diarization/cosine.ts';
import { speakerLabel } from '../diarization/diarize.ts';
import type { WindowVoice } from './window-voice.ts';

/** A person as heard so far. Plain JSON. */
interface LiveVoice {
  readonly model: string;
  /** Sum of the embeddings, each as often as it counts: its direction is the voice. */
  readonly sum: readonly number[];
  readonly count: number;
}

/** The people of a session, in the order in which they were first heard: `SPEAKER_00` and so on. */
export type LiveSpeakers = readonly LiveVoice[];

export interface Labelled {
  readonly speakers: LiveSpeakers;
  /** Null where too little was heard to say. */
  readonly speaker: string | null;
}

/** Stretches of few seconds scatter more than any limit allows: beyond it someone new speaks. */
const MAX_DISTANCE = 0.5;
/** Excerpts of speech from which on a voice that is like nobody's is someone new. */
const MIN_NEW_COUNT = 1;
/** Who comes later is called what the nearest is called. */
const MAX_SPEAKERS = 16;
const DIGITS = 1000;

/**
 * Online clustering: the voice is the nearest person's if it is near enough, else someone new's. What
 * was said is never taken back, so each voice is judged once, by what was known then.
 * @param isWhole The utterance is over: its voice becomes part of the person's.
 */
export function whoSpeaks(before: LiveSpeakers, voice: WindowVoice, isWhole: boolean): Labelled {
  const embedding = Float32Array.from(voice.embedding);
  const distances = before.map(({ model, sum }) => {
    const isComparable = model === voice.model && sum.length === embedding.length;
    const direction = directionOf({ sum: Float32Array.from(sum) });
    return isComparable ? cosineDistance(direction, embedding) : Infinity;
  });
  const least = Math.min(...distances);
  const nearest = distances.indexOf(least);
  const limitOf = ({ count }: LiveVoice): number =>
    Math.min(MAX_DISTANCE, maxDistance(limitsOf(voice), count, voice.count));
  if (nearest >= 0 && least <= limitOf(before[nearest]!)) {
    const speakers = isWhole ? before.with(nearest, joined(before[nearest]!, voice)) : before;
    return { speakers, speaker: speakerLabel(nearest) };
  }
  if (voice.count >= MIN_NEW_COUNT && before.length < MAX_SPEAKERS) {
    const { model, embedding: sum, count } = voice;
    const fresh = { model, sum: sum.map((value) => value * count), count };
    return { speakers: [...before, fresh], speaker: speakerLabel(before.length) };
  }
  return { speakers: before, speaker: null };
}

const limitsOf = ({ sameSpeaker: { voice, excerpt } }: WindowVoice) => ({
  distance: voice,
  scatter: excerpt,
});

function joined({ model, sum, count }: LiveVoice, voice: WindowVoice): LiveVoice {
  const total = sum.map((value, i) => value + voice.embedding[i]! * voice.count);
  return {
    model,
    sum: total.map((value) => Math.round(DIGITS * value) / DIGITS),
    count: count + voice.count,
  };
}
