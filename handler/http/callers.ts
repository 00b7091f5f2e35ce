import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SttError } from '../../core/errors.ts';
import { LimitExceeded } from '../tenants/admission.ts';
import { isSameSecret } from '../tenants/key-ring.ts';
import { ANONYMOUS, type Caller } from '../tenants/tenant.ts';
import type { Access, ServiceContext } from './service-context.ts';

/** Finds out who sends each request, before its body is read, and counts it against their limit. */
export function identifyCallers(app: FastifyInstance, context: ServiceContext): void {
  app.addHook('onRequest', async (request, reply) => {
    const access: Access = request.routeOptions.config.access ?? 'key';
    if (access === 'public' || request.is404) return;
    if (access === 'operator') return assertOperator(request, context);
    request.caller = identify(request, context);
    limitRequests(request, reply, context);
  });
}

function identify(request: FastifyRequest, { keys, metrics, logger }: ServiceContext): Caller {
  if (keys === undefined) return ANONYMOUS;
  const key = presentedKey(request);
  const caller = key === undefined ? undefined : keys.identify(key);
  if (caller !== undefined) return caller;
  metrics.countRejection('UNAUTHENTICATED');
  logger.warn({ requestId: request.id, hasKey: key !== undefined }, 'key refused');
  const problem = key === undefined ? 'An API key is required' : 'The API key is unknown';
  throw new SttError(
    'UNAUTHENTICATED',
    `${problem}: send Authorization: Bearer KEY, or X-API-Key: KEY`,
  );
}

function presentedKey(request: FastifyRequest): string | undefined {
  const { authorization, 'x-api-key': apiKey } = request.headers;
  const bearer = /^(?:Bearer|Token) +(\S+) *$/i.exec(authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  if (typeof apiKey === 'string') return apiKey.trim();
  if (request.routeOptions.config.acceptsKeyInQuery !== true) return undefined;
  const { token } = request.query as { readonly token?: unknown };
  return typeof token === 'string' ? token : undefined;
}

function assertOperator(request: FastifyRequest, { config, keys }: ServiceContext): void {
  const { metricsToken } = config.service;
  if (metricsToken === undefined && keys === undefined) return;
  const key = presentedKey(request);
  if (metricsToken !== undefined && key !== undefined && isSameSecret(key, metricsToken)) return;
  throw new SttError('UNAUTHENTICATED', 'The token of METRICS_TOKEN is required');
}

/** Tells what is left of the tenant's minute; the draft's three headers. */
function limitRequests(
  { caller }: FastifyRequest,
  reply: FastifyReply,
  { admission }: ServiceContext,
): void {
  const allowance = admission.countRequest(caller);
  if (allowance === null) return;
  reply.header('ratelimit-limit', String(allowance.limit));
  reply.header('ratelimit-remaining', String(allowance.remaining));
  reply.header('ratelimit-reset', String(allowance.resetSec));
  if (allowance.isAllowed) return;
  const message = `${allowance.limit} requests a minute are the limit of this tenant`;
  throw new LimitExceeded('RATE_LIMITED', message, allowance.resetSec);
}
