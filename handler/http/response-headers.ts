import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServiceContext } from './service-context.ts';

/** Answers are data: no browser may run, frame, sniff or keep them. */
const SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(self)',
  'cache-control': 'no-store',
} as const;

const PREFLIGHT_SEC = 600;
const ALLOWED_HEADERS =
  'authorization, content-type, idempotency-key, prefer, x-api-key, x-request-id';
const EXPOSED_HEADERS =
  'retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset, x-request-id, location';

/** Headers of every answer, those of failures too; a route may set its own before. */
export function addResponseHeaders(app: FastifyInstance, context: ServiceContext): void {
  const origins = new Set(context.config.service.corsOrigins);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.headers(SECURITY_HEADERS);
    const isPreflight = allowOrigin(request, reply, origins);
    if (isPreflight) await reply.code(204).send();
  });
}

/** True for a preflight of an allowed origin, which is answered at once. */
function allowOrigin(
  { headers, method }: FastifyRequest,
  reply: FastifyReply,
  origins: ReadonlySet<string>,
): boolean {
  const { origin } = headers;
  if (origins.size === 0 || origin === undefined) return false;
  reply.header('vary', 'origin');
  if (!origins.has('*') && !origins.has(origin)) return false;
  reply.header('access-control-allow-origin', origins.has('*') ? '*' : origin);
  reply.header('access-control-expose-headers', EXPOSED_HEADERS);
  reply.header('cross-origin-resource-policy', 'cross-origin');
  if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return false;
  reply.header('access-control-allow-methods', 'GET, POST, DELETE');
  reply.header('access-control-allow-headers', ALLOWED_HEADERS);
  reply.header('access-control-max-age', String(PREFLIGHT_SEC));
  return true;
}
