import { z } from 'zod';
import type { KnownSpeaker } from '../pipeline/diarization/known-speakers.ts';

const MAX_KNOWN_SPEAKERS = 64;
const MAX_NAME_CHARS = 64;
const MAX_DIMENSIONS = 1024;
/** Embeddings travel as decimals: their length may be 1 but for rounding. */
const MAX_LENGTH_ERROR = 0.01;
/** The only model there was while embeddings travelled without the name of theirs. */
const UNNAMED_MODEL = 'ge2e';

/** Labels of people without a name: nobody else may be called that. */
const AUTOMATIC_LABEL = /^SPEAKER_\d+$/;

/** Counted and looked at as one value: a problem for each number would be a thousand problems. */
const Embedding = z.custom<readonly number[]>(
  (value) =>
    Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= MAX_DIMENSIONS &&
    value.every(Number.isFinite),
);
const Voice = z.union([
  Embedding.transform((embedding) => ({ embedding, embedding_model: UNNAMED_MODEL })),
  z.strictObject({ embedding: Embedding, embedding_model: z.string().min(1).max(MAX_NAME_CHARS) }),
]);
const Name = z
  .string()
  .trim()
  .min(1)
  .max(MAX_NAME_CHARS)
  .refine((name) => !AUTOMATIC_LABEL.test(name));
const shape = z.record(Name, Voice);

const EXPECTED =
  `expected at most ${MAX_KNOWN_SPEAKERS} names (not SPEAKER_00), each with the embedding and the ` +
  'embedding_model that an earlier result gave';

/**
 * `known_speakers`: by name an embedding and its model, or the embedding alone, as it was before models
 * could be chosen. Checked as a whole, since the place of a problem would be a person's name.
 */
export const KnownSpeakers = z
  .unknown()
  .optional()
  .transform((value, context): ReadonlyMap<string, KnownSpeaker> => {
    if (value === undefined || value === null) return new Map();
    if (!hasCountedNames(value)) return refused(context);
    const parsed = shape.safeParse(value);
    const known = Object.entries(parsed.data ?? {}).flatMap(([name, voice]) => {
      const embedding = unitVector(voice.embedding);
      return embedding === null
        ? []
        : [[name, { embedding, model: voice.embedding_model }] as const];
    });
    const isWhole = known.length === Object.keys(parsed.data ?? {}).length;
    return parsed.success && isWhole ? new Map(known) : refused(context);
  });

/** Before anything is validated. */
const hasCountedNames = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.keys(value).length <= MAX_KNOWN_SPEAKERS;

function refused(context: z.core.$RefinementCtx): never {
  context.addIssue({ code: 'custom', message: EXPECTED });
  return z.NEVER;
}

/** Null for one whose length is not 1. */
function unitVector(numbers: readonly number[]): Float32Array | null {
  const length = Math.hypot(...numbers);
  if (Math.abs(length - 1) > MAX_LENGTH_ERROR) return null;
  return Float32Array.from(numbers, (value) => value / length);
}
