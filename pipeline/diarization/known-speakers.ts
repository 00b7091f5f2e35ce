import { SttError } from '../../core/errors.ts';
import type { SpeakerEmbeddingModel } from '../contracts.ts';
import { cosineDistance } from './cosine.ts';

/** What someone sounded like in an earlier recording. */
export interface KnownSpeaker {
  /** Unit vector. */
  readonly embedding: Float32Array;
  /** Name of the model that made it. */
  readonly model: string;
}

export type KnownSpeakers = ReadonlyMap<string, KnownSpeaker>;

/** A voice of this recording. */
export interface HeardVoice {
  readonly embedding: Float32Array;
  readonly totalSamples: number;
}

export interface Recognized {
  readonly name: string;
  /** Cosine of the two voices: 1 for the same. */
  readonly similarity: number;
}

/**
 * Vectors of two models say nothing about each other, also where they are of one length.
 * @throws {SttError} INPUT_INVALID unless every embedding was made by this model.
 */
export function assertComparable(
  known: KnownSpeakers,
  model: Pick<SpeakerEmbeddingModel, 'name' | 'dimensions'>,
): void {
  for (const { embedding, model: made } of known.values()) {
    const problem =
      made !== model.name
        ? `an embedding was made by ${made} and cannot be compared with ${model.name}, which runs here: ` +
          'take the embedding and its embedding_model from a result of this model'
        : embedding.length !== model.dimensions
          ? `expected ${model.dimensions} numbers each, found ${embedding.length}`
          : undefined;
    if (problem !== undefined) throw new SttError('INPUT_INVALID', `known_speakers: ${problem}`);
  }
}

/**
 * Who each voice belongs to, null for a stranger. A name is given to a voice that is near enough, of
 * which enough was heard, and which is nearer by a margin than any other: than any other known person
 * is to this voice, and any other voice to this person. Who is told apart by less stays without a name.
 */
export function nameKnownSpeakers(
  voices: readonly HeardVoice[],
  known: KnownSpeakers,
  { distance: limit, margin, minSamples }: SpeakerEmbeddingModel['knownSpeaker'],
): (Recognized | null)[] {
  const names = [...known.keys()];
  const distances = voices.map(({ embedding }) =>
    names.map((name) => cosineDistance(embedding, known.get(name)!.embedding)),
  );
  const isHeard = (voice: number): boolean => voices[voice]!.totalSamples >= minSamples;
  return distances.map((toKnown, voice) => {
    const distance = Math.min(...toKnown);
    if (distance > limit || !isHeard(voice)) return null;
    const person = toKnown.indexOf(distance);
    const others = [
      ...toKnown.filter((_, other) => other !== person),
      ...distances
        .filter((_, other) => other !== voice && isHeard(other))
        .map((row) => row[person]!),
    ];
    if (Math.min(...others) < distance + margin) return null;
    return { name: names[person]!, similarity: 1 - distance };
  });
}
