import { z } from 'zod';
import { SttError } from '../../core/errors.ts';

/** The part of a JSON schema that says what a text may stand for. */
const Schema = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  get anyOf() {
    return z.array(Schema).optional();
  },
});
type Schema = z.output<typeof Schema>;

const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off']);

/**
 * Reads the texts of a form as what `schema` takes in each field: numbers, booleans, lists (as JSON,
 * repeated, or separated by commas) and objects as JSON. Unknown fields stay texts, so that the
 * schema refuses them by name; so do texts that cannot be read.
 */
export function formValueReader(
  schema: z.ZodType,
): (fields: ReadonlyMap<string, readonly unknown[]>) => Record<string, unknown> {
  const { properties } = z
    .object({ properties: z.record(z.string(), Schema) })
    .parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  const typesByField = new Map(
    Object.entries(properties).map(([field, property]) => [field, typesOf(property)]),
  );
  return (fields) =>
    Object.fromEntries(
      [...fields].map(([field, values]) => [
        field,
        readValues(field, values, typesByField.get(field) ?? new Set(['string'])),
      ]),
    );
}

/** Without any type everything is allowed, which only JSON can say. */
function typesOf({ type, anyOf = [] }: Schema): ReadonlySet<string> {
  const own = type === undefined ? [] : [type].flat();
  const types = [...own, ...anyOf.flatMap((option) => [...typesOf(option)])];
  return new Set(types.length === 0 ? ['object'] : types);
}

function readValues(field: string, values: readonly unknown[], types: ReadonlySet<string>) {
  const [first] = values;
  if (types.has('array')) {
    if (values.length > 1) return values.map((value) => readScalar(value, types));
    return readList(first, types);
  }
  if (values.length > 1) {
    throw new SttError('INPUT_INVALID', `${field}: expected once, found ${values.length} times`);
  }
  return readScalar(first, types);
}

function readList(value: unknown, types: ReadonlySet<string>): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim();
  if (text === '') return null;
  if (text.startsWith('[')) return readJson(text);
  const items = text.split(',').map((item) => item.trim());
  if (items.length === 1 && types.has('number')) return readScalar(text, types);
  return items.map((item) => readScalar(item, types));
}

function readScalar(value: unknown, types: ReadonlySet<string>): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim();
  if (types.has('number') || types.has('integer')) {
    return text === '' ? null : Number.isNaN(Number(text)) ? value : Number(text);
  }
  if (types.has('boolean')) return text === '' ? null : readFlag(text);
  if (types.has('object')) return text === '' ? null : readJson(text);
  return value;
}

function readFlag(text: string): unknown {
  const lower = text.toLowerCase();
  if (TRUE.has(lower)) return true;
  return FALSE.has(lower) ? false : text;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
