import fc from 'fast-check';

/** The parts of an OpenAPI document that requests are made of. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
interface Operation {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: 'path' | 'query' | 'header';
  }[];
  readonly requestBody?: {
    readonly content: Readonly<
      Record<string, { readonly schema: { readonly properties?: object } }>
    >;
  };
}

export interface AnyRequest {
  readonly method: string;
  /** As described, and as asked. */
  readonly path: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string | undefined;
}

interface Material {
  /** Ids that exist, among all those that do not. */
  readonly ids: readonly string[];
  /** What is sent as a file. */
  readonly files: readonly Buffer[];
  /** A body that is right, to be spoilt in a field or two. */
  readonly rightFields: Readonly<Record<string, unknown>>;
}

const JSON_TYPE = 'application/json';
const MULTIPART = 'multipart/form-data';
const BOUNDARY = 'b0undary';

/** Values that fit the field, nearly fit, or do not at all. */
const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom('', 'en', 'true', '0.2', 'json', '[0]', '{"a":1}', '\u0000', 'ko-KR', 'srt'),
  fc.double(),
  fc.boolean(),
);
const headerText = fc.stringMatching(/^[ -~]{0,40}$/).map((text) => text.trim());

/** Requests for every operation of the document, right and wrong in every part. */
export function anyRequest(document: ApiDocument, material: Material): fc.Arbitrary<AnyRequest> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      requestOf(method.toUpperCase(), path, operation, material),
    ),
  );
  return fc.oneof(...operations);
}

function requestOf(
  method: string,
  path: string,
  { parameters = [], requestBody }: Operation,
  { ids, files, rightFields }: Material,
): fc.Arbitrary<AnyRequest> {
  const namesIn = (place: string): string[] =>
    parameters.filter((each) => each.in === place).map(({ name }) => name);
  const id = fc.oneof(fc.constantFrom(...ids), fc.string({ minLength: 1, maxLength: 140 }));
  const query = fc.dictionary(fc.constantFrom('x', ...namesIn('query')), fc.string());
  const headers = fc.dictionary(
    fc.constantFrom('x-request-id', 'accept', 'range', 'expect-ct', ...namesIn('header')),
    headerText,
    { maxKeys: 2 },
  );
  const [type, content] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  const fields = Object.keys(content?.schema.properties ?? {}).filter((name) => name !== 'file');
  const spoilt = fc
    .tuple(
      fc.dictionary(fc.constantFrom('unknown', ...fields), anyValue, { maxKeys: 3 }),
      fc.boolean(),
    )
    .map(([wrong, isBased]) => ({ ...(isBased && rightFields), ...wrong }));
  const body = bodyOf(type, spoilt, files);
  return fc.tuple(id, query, headers, body).map(([value, asked, sent, given]) => ({
    method,
    path,
    url: `${path.replace(/\{\w+\}/, encodeURIComponent(value))}?${new URLSearchParams(asked)}`,
    headers: { ...sent, ...given.headers },
    body: given.body,
  }));
}

interface Body {
  readonly headers: Record<string, string>;
  readonly body: Buffer | string | undefined;
}

function bodyOf(
  type: string | undefined,
  fields: fc.Arbitrary<Record<string, unknown>>,
  files: readonly Buffer[],
): fc.Arbitrary<Body> {
  if (type === undefined) return fc.constant({ headers: {}, body: undefined });
  if (type === JSON_TYPE) {
    return fc
      .oneof({ weight: 9, arbitrary: fields.map((each) => JSON.stringify(each)) }, fc.string())
      .map((body) => ({ headers: { 'content-type': JSON_TYPE }, body }));
  }
  const headers = { 'content-type': `${MULTIPART}; boundary=${BOUNDARY}` };
  return fc
    .tuple(fields, fc.constantFrom(undefined, ...files))
    .map(([each, file]) => ({ headers, body: formOf(each, file) }));
}

function formOf(fields: Readonly<Record<string, unknown>>, file: Buffer | undefined): Buffer {
  const head = (name: string) =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`;
  const texts = Object.entries(fields).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return Buffer.from(`${head(name)}${text}\r\n`);
  });
  const recording =
    file === undefined
      ? []
      : [
          Buffer.from(`${head('file').slice(0, -4)}; filename="a"\r\n\r\n`),
          file,
          Buffer.from('\r\n'),
        ];
  return Buffer.concat([...texts, ...recording, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}
