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

/** A speaker of this recording. */
export interface UnnamedSpeaker {
  readonly embedding: Float32Array;
  readonly totalSamples: number;
}

export interface Recognized {
  readonly name: string;
  /** Cosine of the two speakers: 1 for the same. */
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
 * which enough was heard, and which is nearer by a margin than any other: than any other known speaker
 * is to this voice, and any other voice to this speaker. Who is distinguished by less stays without a name.
 */
export function nameKnownSpeakers(
  speakers: readonly UnnamedSpeaker[],
  known: KnownSpeakers,
  { distance: limit, margin, minSamples }: SpeakerEmbeddingModel['knownSpeaker'],
): (Recognized | null)[] {
  const names = [...known.keys()];
  const distances = speakers.map(({ embedding }) =>
    names.map((name) => cosineDistance(embedding, known.get(name)!.embedding)),
  );
  const isLongEnough = (speaker: number): boolean => speakers[speaker]!.totalSamples >= minSamples;
  return distances.map((toKnown, speaker) => {
    const distance = Math.min(...toKnown);
    if (distance > limit || !isLongEnough(speaker)) return null;
    const nearest = toKnown.indexOf(distance);
    const others = [
      ...toKnown.filter((_, other) => other !== nearest),
      ...distances
        .filter((_, other) => other !== speaker && isLongEnough(other))
        .map((row) => row[nearest]!),
    ];
    if (Math.min(...others) < distance + margin) return null;
    return { name: names[nearest]!, similarity: 1 - distance };
  });
}
