import { Ajv2020 } from 'ajv/dist/2020.js';

interface Described {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, object>> }>
  >;
}

export interface GivenAnswer {
  readonly method: string;
  /** As in the description: `/stt/jobs/{id}`. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** `/openapi.json` of a service, to hold its answers to. */
export class ApiDescription {
  readonly #paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false });

  constructor(document: object & { readonly paths: object }) {
    this.#paths = document.paths as Readonly<Record<string, Readonly<Record<string, Described>>>>;
    this.#ajv.addSchema(document, 'api');
  }

  /** What is wrong with an answer; nothing where it is as described. */
  problemsOf({ method, path, status, contentType, body }: GivenAnswer): readonly string[] {
    const operation = this.#paths[path]?.[method.toLowerCase()];
    if (operation === undefined) return [`${method} ${path} is not described`];
    const key = String(status) in operation.responses ? String(status) : 'default';
    const content = operation.responses[key]?.content;
    if (content === undefined) return body === '' || key !== 'default' ? [] : ['a body too many'];
    const bare = contentType.split(';')[0] ?? '';
    const type = Object.keys(content).find((name) => name.split(';')[0] === bare);
    if (type === undefined) return [`${status} of type "${contentType}" is not described`];
    if (bare !== 'application/json') return [];
    const escaped = [path, method.toLowerCase(), 'responses', key, 'content', type, 'schema']
      .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
      .map(encodeURIComponent);
    const pointer = `api#/paths/${escaped.join('/')}`;
    const validate = this.#ajv.getSchema(pointer) ?? this.#ajv.compile({ $ref: pointer });
    if (validate(JSON.parse(body))) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  }

  /** `METHOD /path` of every operation. */
  get operations(): readonly string[] {
    return Object.entries(this.#paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }
}
