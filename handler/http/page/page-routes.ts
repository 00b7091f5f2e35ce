import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { FastifyInstance } from 'fastify';

const ASSETS = new URL('./assets/', import.meta.url);
const PAGE = 'page.html';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Our own files only, nothing inline; recordings are played from the browser's memory. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  'media-src blob:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

interface Asset {
  readonly name: string;
  readonly type: string;
  readonly body: Buffer;
  readonly etag: string;
}

/** The page at `/`, and its files below `/page/`. They are read once; browsers ask for changes. */
export function addPageRoutes(app: FastifyInstance): void {
  for (const asset of readAssets()) {
    const url = asset.name === PAGE ? '/' : `/page/${asset.name}`;
    app.get(url, { config: { access: 'public' } }, async ({ headers }, reply) => {
      reply.header('etag', asset.etag).header('cache-control', 'no-cache').type(asset.type);
      if (asset.name === PAGE) reply.header('content-security-policy', PAGE_POLICY);
      if (isCurrent(headers['if-none-match'], asset.etag)) return reply.code(304).send();
      return reply.send(asset.body);
    });
  }
}

function readAssets(): Asset[] {
  return readdirSync(ASSETS).flatMap((name) => {
    const type = CONTENT_TYPES[extname(name)];
    if (type === undefined) return [];
    const body = readFileSync(new URL(name, ASSETS));
    const digest = createHash('sha256').update(body).digest('base64url').slice(0, 22);
    return { name, type, body, etag: `"${digest}"` };
  });
}

/** Whether the browser has this version; proxies that compress mark tags as weak. */
const isCurrent = (given: string | undefined, etag: string): boolean =>
  (given ?? '').split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
