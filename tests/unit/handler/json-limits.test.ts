import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assertJsonText, assertJsonValue, type JsonLimits } from '../../../handler/json-limits.ts';
import { parseJobInput } from '../../../handler/schema.ts';

const LIMITS: JsonLimits = { maxChars: 200, maxMembers: 5, maxValues: 20, maxDepth: 4 };

const isPassed = (check: () => void): boolean => {
  try {
    check();
    return true;
  } catch {
    return false;
  }
};

/** What the scan of the text should find, by the plain way: parse, then count. */
function keepsTo(value: unknown, limits: JsonLimits): boolean {
  let values = 0;
  const visit = (item: unknown, depth: number): boolean => {
    if (typeof item !== 'object' || item === null) return true;
    const members = Object.values(item);
    values += Math.max(1, members.length);
    const fits = depth <= limits.maxDepth && members.length <= limits.maxMembers;
    return fits && members.every((member) => visit(member, depth + 1));
  };
  return visit(value, 1) && values <= limits.maxValues;
}

test('a text is counted as its value would be, whatever its strings hold', () => {
  const string = fc.string({ unit: fc.constantFrom('"', '\\', '[', '{', ',', ':', 'a', ']') });
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 6 },
      string,
      fc.integer(),
      fc.array(tie('tree'), { maxLength: 7 }),
      fc.dictionary(string, tie('tree'), { maxKeys: 7 }),
    ),
  }));
  const limits = { ...LIMITS, maxChars: 1e6 };
  fc.assert(
    fc.property(tree, (value) => {
      const text = JSON.stringify(value);
      expect(isPassed(() => assertJsonText(text, limits))).toBe(keepsTo(value, limits));
    }),
    { numRuns: 500, seed: 16 },
  );
});

test('audio in base64 does not count, under its names only', () => {
  const audio = 'A'.repeat(1000);
  for (const name of ['audio_base64', 'audio_data', 'audio']) {
    expect(isPassed(() => assertJsonText(`{"${name}" : "${audio}"}`, LIMITS))).toBe(true);
    expect(isPassed(() => assertJsonValue({ [name]: audio }, LIMITS))).toBe(true);
  }
  const others = [`{"audio_url":"${audio}"}`, `{"audio":["${audio}"]}`, `["audio","${audio}"]`];
  for (const text of others) {
    expect(isPassed(() => assertJsonText(text, LIMITS))).toBe(false);
    expect(isPassed(() => assertJsonValue(JSON.parse(text), LIMITS))).toBe(false);
  }
});

test('a job of a queue is counted before it is validated', () => {
  const fields = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k${index}`, 1]));
  expect(() => parseJobInput({ audio_url: 'a', ...fields })).toThrow(/More than 1024 fields/);
  let deep: unknown = 1;
  for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
  expect(() => parseJobInput({ audio_url: 'a', vad: deep })).toThrow(/more than 16 deep/);
});

test('numbers of decoding are held to what can be computed', () => {
  const parse = (fields: object) => () => parseJobInput({ audio_url: 'a', ...fields });
  for (const fields of [
    { repetition_penalty: 0.1 },
    { repetition_penalty: 10 },
    { temperature: 0 },
    { temperature: [0, 0.01, 1] },
  ]) {
    expect(parse(fields)).not.toThrow();
  }
  for (const fields of [
    { repetition_penalty: 0.09 },
    { repetition_penalty: 1e-300 },
    { temperature: 0.009 },
    { temperature: [0, 1e-30] },
  ]) {
    expect(parse(fields)).toThrow(/repetition_penalty|temperature/);
  }
});
