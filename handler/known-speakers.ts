import { z } from 'zod';

const MAX_KNOWN_SPEAKERS = 64;
const MAX_NAME_CHARS = 64;
const MAX_DIMENSIONS = 1024;
/** Embeddings travel as decimals: their length may be 1 but for rounding. */
const MAX_LENGTH_ERROR = 0.01;

/** Labels of people without a name: nobody else may be called that. */
const AUTOMATIC_LABEL = /^SPEAKER_\d+$/;

const shape = z.record(
  z
    .string()
    .trim()
    .min(1)
    .max(MAX_NAME_CHARS)
    .refine((name) => !AUTOMATIC_LABEL.test(name)),
  z.array(z.number()).min(1).max(MAX_DIMENSIONS),
);

const EXPECTED =
  `expected at most ${MAX_KNOWN_SPEAKERS} names (not SPEAKER_00), each with the list of ` +
  'numbers that an earlier result gave as its embedding';

/**
 * `known_speakers`: embeddings by name. Checked as a whole, since the place of a problem would be a
 * person's name.
 */
export const KnownSpeakers = z
  .unknown()
  .optional()
  .transform((value, context) => {
    if (value === undefined || value === null) return new Map<string, Float32Array>();
    const parsed = shape.safeParse(value);
    const known = new Map(
      Object.entries(parsed.data ?? {}).map(([name, numbers]) => [name, unitVector(numbers)]),
    );
    const isValid = parsed.success && known.size <= MAX_KNOWN_SPEAKERS;
    const vectors = [...known.values()].filter((vector) => vector !== null);
    if (isValid && vectors.length === known.size) {
      return new Map([...known.keys()].map((name, index) => [name, vectors[index]!]));
    }
    context.addIssue({ code: 'custom', message: EXPECTED });
    return z.NEVER;
  });

/** Null for one whose length is not 1. */
function unitVector(numbers: readonly number[]): Float32Array | null {
  const length = Math.hypot(...numbers);
  if (Math.abs(length - 1) > MAX_LENGTH_ERROR) return null;
  return Float32Array.from(numbers, (value) => value / length);
}
