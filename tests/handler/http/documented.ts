/** Code blocks of a document, with their language. */
export function codeBlocksOf(markdown: string): { language: string; code: string }[] {
  return [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({
    language,
    code,
  }));
}

/** Commands of its shell blocks that ask the service on its port, as they stand there. */
export function curlCommandsOf(markdown: string): string[] {
  return codeBlocksOf(markdown)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.replaceAll(/\\\n\s*/g, '').split('\n'))
    .filter((line) => /^curl\b/.test(line) && /\blocalhost:8001\b/.test(line));
}

/** JSON with comments, and with `…` where something is left out, as documents show it. */
export function readCommentedJson(code: string): unknown {
  const bare = code
    .replaceAll(/("(?:[^"\\]|\\.)*")|\/\*.*?\*\/|\/\/[^\n]*/gs, (_, text: string = '') => text)
    .replaceAll(/,(\s*[\]}])/g, '$1');
  return JSON.parse(bare);
}

/**
 * The fields and types of a value: objects by their keys, lists by what all their items have
 * together. Names of speakers are one key, since how many there are is the recording's affair.
 */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return [value.map(shapeOf).reduce(merged, null)];
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  const shape: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    const name = key.replace(/^SPEAKER_\d\d$/, 'SPEAKER');
    shape[name] = merged(shape[name] ?? null, shapeOf(field));
  }
  return shape;
}

function merged(one: unknown, other: unknown): unknown {
  if (one === null) return other;
  if (other === null) return one;
  if (Array.isArray(one) && Array.isArray(other)) return [merged(one[0], other[0])];
  if (typeof one !== 'object' || typeof other !== 'object') return one;
  const [a, b] = [Object.entries(one), new Map(Object.entries(other))];
  const common = a.map(([key, shape]) => [key, merged(shape, b.get(key) ?? null)]);
  return { ...other, ...Object.fromEntries(common) };
}
