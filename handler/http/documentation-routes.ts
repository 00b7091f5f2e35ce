import type { FastifyInstance } from 'fastify';
import { openApiDocument } from './openapi.ts';
import type { ServiceContext } from './service-context.ts';

const PUBLIC = { config: { access: 'public' } } as const;
/** Nothing is loaded and nothing runs; the one style is in the page. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
         color: #1b1f24; background: #fff }
  code, pre { font-family: ui-monospace, monospace; font-size: .9em }
  summary { cursor: pointer; padding: .4rem 0 } pre { background: #f4f6f8; padding: 1rem; overflow: auto }
  .method { display: inline-block; min-width: 5rem; font-weight: 700 }
  @media (prefers-color-scheme: dark) { body { color: #e6e9ed; background: #14171a }
    pre { background: #1e2328 } a { color: #8ab4ff } }
`;

/** `/openapi.json`, and the same as a page to read. */
export function addDocumentationRoutes(app: FastifyInstance, { version }: ServiceContext): void {
  const document = openApiDocument(version);
  const page = pageOf(document, version);
  app.get('/openapi.json', PUBLIC, async () => document);
  app.get('/docs', PUBLIC, async (_, reply) =>
    reply
      .header('content-security-policy', PAGE_POLICY)
      .type('text/html; charset=utf-8')
      .send(page),
  );
}

function pageOf(document: Readonly<Record<string, unknown>>, version: string): string {
  const operations = entriesOf(document['paths']).flatMap(([path, methods]) =>
    entriesOf(methods).map(([method, operation]) => operationOf(path, method, operation)),
  );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>stt-worker ${escapeHtml(version)}</title><style>${STYLE}</style></head>
<body><h1>stt-worker <small>${escapeHtml(version)}</small></h1>
<p>Speech to text. Send <code>Authorization: Bearer KEY</code> where keys are configured.
The same for machines: <a href="/openapi.json">/openapi.json</a>.</p>
${operations.join('\n')}
<h2>Schemas</h2>
${entriesOf(Object(document['components']).schemas).map(schemaOf).join('\n')}
</body></html>
`;
}

function operationOf(path: string, method: string, operation: unknown): string {
  const { summary, ...rest } = Object(operation);
  return `<details><summary><span class="method">${method.toUpperCase()}</span>
<code>${escapeHtml(path)}</code> ${escapeHtml(String(summary))}</summary>
<pre>${escapeHtml(JSON.stringify(rest, null, 2))}</pre></details>`;
}

const schemaOf = ([name, schema]: [string, unknown]): string =>
  `<details id="${escapeHtml(name)}"><summary><code>${escapeHtml(name)}</code></summary>
<pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre></details>`;

const entriesOf = (value: unknown): [string, unknown][] => Object.entries(Object(value));

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
