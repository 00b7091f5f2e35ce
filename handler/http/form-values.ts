import type { z } from 'zod';
import { assertJsonText, JOB_JSON } from '../json-limits.ts';
import { mendInput, type Reading, scalar } from '../read-input.ts';

/**
 * Reads the texts of a form as what `schema` takes in each field: beside numbers and booleans also
 * lists (as JSON, repeated, or separated by commas) and objects as JSON. Texts that cannot be read
 * stay, so that the schema refuses their fields by name.
 */
export const formValueReader =
  (schema: z.ZodType) =>
  (fields: ReadonlyMap<string, readonly unknown[]>): Readonly<Record<string, unknown>> => {
    const form = Object.fromEntries(
      [...fields].map(([name, values]) => [name, values.length > 1 ? values : values[0]]),
    );
    return mendInput(schema, form, formValue) as typeof form; // An object stays one.
  };

/** What `FormData` makes of values that are none. */
const NOTHING = new Set(['null', 'undefined']);
/** As the check boxes of pages are sent. */
const WORDS = new Map([
  ['yes', true],
  ['on', true],
  ['no', false],
  ['off', false],
]);

const formValue: Reading = (value, expected) => {
  if (typeof value !== 'string') return scalar(value, expected);
  const text = value.trim();
  if (NOTHING.has(text)) return null;
  if (expected === 'array' && !text.startsWith('['))
    return text.split(',', JOB_JSON.maxMembers + 1).map((item) => item.trim());
  if (['array', 'object', 'record', 'custom'].includes(expected)) return structureIn(text);
  return expected === 'boolean'
    ? (WORDS.get(text.toLowerCase()) ?? scalar(text, expected))
    : scalar(text, expected);
};

/**
 * Only structures: a text that is a problem for another reason stays one.
 * @throws {SttError} INPUT_INVALID for JSON beyond the limits of a job.
 */
function structureIn(text: string): object | undefined {
  assertJsonText(text, JOB_JSON);
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
