import type { z } from 'zod';
import { SttError } from '../core/errors.ts';
import { describeIssues } from './input-issues.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** What a value may stand for where a schema expects a type; undefined: nothing. */
export type Reading = (value: unknown, expected: string) => unknown;

/** A list in a text is read first, then the numbers in it. */
const MAX_PASSES = 3;
/** Of one pass; each copies the list that it is in, and no client means so many fields otherwise. */
const MAX_MENDED = 1024;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const FLAGS = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);
const ID = /(^|_)id$/;

/**
 * What untrusted input means by a schema. Clients write numbers and booleans as text and ids as
 * numbers, and leave fields empty or null: what the schema refuses is read as what it expects where
 * that has one meaning, whatever route the input came by.
 * @throws {SttError} INPUT_INVALID naming every bad field and what was expected, never a value.
 */
export function readInput<Schema extends z.ZodType>(
  schema: Schema,
  rawInput: unknown,
): z.output<Schema> {
  const direct = schema.safeParse(rawInput);
  if (direct.success) return direct.data;
  const parsed = schema.safeParse(mendInput(schema, rawInput));
  if (parsed.success) return parsed.data;
  throw new SttError('INPUT_INVALID', describeIssues(parsed.error.issues));
}

/** The input as `schema` would have it, as far as its values have one meaning; the rest stays. */
export function mendInput(schema: z.ZodType, rawInput: unknown, read: Reading = scalar): unknown {
  let input = rawInput;
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const { error } = schema.safeParse(input);
    if ((error?.issues.length ?? 0) > MAX_MENDED) return input;
    const mended = error?.issues.reduce((value, issue) => mendIssue(value, issue, read), input);
    if (mended === undefined || mended === input) return input;
    input = mended;
  }
  return input;
}

function mendIssue(input: unknown, issue: Issue, read: Reading): unknown {
  const value = valueAt(input, issue.path);
  const isEmpty = value === null || (typeof value === 'string' && value.trim() === '');
  if (isEmpty) return replaced(input, issue.path);
  if (issue.code === 'invalid_union') return mendUnion(input, issue, read);
  const meant = meaningOf(value, issue, read);
  return meant === undefined ? input : replaced(input, issue.path, meant);
}

/** By the first option that can be met; others have nothing to say about the value. */
function mendUnion(
  input: unknown,
  { errors, path }: Extract<Issue, { code: 'invalid_union' }>,
  read: Reading,
): unknown {
  for (const issues of errors) {
    const mended = issues.reduce(
      (value, issue) => mendIssue(value, { ...issue, path: [...path, ...issue.path] }, read),
      input,
    );
    if (mended !== input) return mended;
  }
  return input;
}

function meaningOf(value: unknown, issue: Issue, read: Reading): unknown {
  if (issue.code === 'custom') return read(value, 'custom');
  if (issue.code === 'invalid_type') {
    return issue.expected === 'string' ? idOf(value, issue.path) : read(value, issue.expected);
  }
  if (issue.code !== 'invalid_value') return undefined;
  const meanings = [scalar(value, 'number'), scalar(value, 'boolean')];
  return meanings.find((meaning) => issue.values.some((allowed) => allowed === meaning));
}

/** Numbered things; beyond 2^53 digits have been lost, and the id would be another one's. */
const idOf = (value: unknown, path: Path): string | undefined =>
  Number.isSafeInteger(value) && ID.test(String(path.at(-1))) ? String(value) : undefined;

/** Numbers and booleans in texts. */
export const scalar: Reading = (value, expected) => {
  if (typeof value !== 'string') return undefined;
  const text = value.trim().toLowerCase();
  if (expected === 'number') return NUMBER.test(text) ? Number(text) : undefined;
  return expected === 'boolean' ? FLAGS.get(text) : undefined;
};

function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? Reflect.get(value, key)
        : undefined,
    input,
  );
}

/** A copy along the path; without a value the field is left out. Items of lists stay. */
function replaced(input: unknown, [key, ...rest]: Path, value?: unknown): unknown {
  if (key === undefined) return value ?? input;
  if (typeof input !== 'object' || input === null) return input;
  if (Array.isArray(input)) {
    if (rest.length === 0 && value === undefined) return input;
    return input.map((item, index) => (index === key ? replaced(item, rest, value) : item));
  }
  if (rest.length > 0) return { ...input, [key]: replaced(valueAt(input, [key]), rest, value) };
  const { [key]: _, ...others } = input as Readonly<Record<PropertyKey, unknown>>;
  return value === undefined ? others : { ...others, [key]: value };
}
