import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SttError } from '../../core/errors.ts';
import { isSameSecret } from '../tenants/key-ring.ts';
import { LimitExceeded } from '../tenants/limit-exceeded.ts';
import { ANONYMOUS, type Caller } from '../tenants/tenant.ts';
import type { Access, ServiceContext } from './service-context.ts';

/** Finds out who sends each request, before its body is read, and counts it against their limit. */
export function identifyCallers(app: FastifyInstance, context: ServiceContext): void {
  app.addHook('onRequest', async (request, reply) => {
    const access: Access = request.routeOptions.config.access ?? 'key';
    if (access === 'public' || request.is404) return;
    if (isOperator(request, context)) {
      request.isOperator = true;
      return;
    }
    if (access === 'operator') {
      tellRefusal(context, request, presentedKey(request) !== undefined);
      throw new SttError('UNAUTHENTICATED', 'The token of METRICS_TOKEN is required');
    }
    request.caller = identify(request, context);
    limitRequests(request, reply, context);
  });
}

/** Tells the log and the metrics of a request whose key is missing or unknown, never the key. */
export function tellRefusal(
  { metrics, logger }: Pick<ServiceContext, 'metrics' | 'logger'>,
  request: { readonly id: string } | null,
  hasKey: boolean,
): void {
  metrics.countRejection('UNAUTHENTICATED');
  logger.warn({ ...(request && { requestId: request.id }), hasKey }, 'key refused');
}

function identify(request: FastifyRequest, context: ServiceContext): Caller {
  if (context.keys === undefined) return ANONYMOUS;
  const key = presentedKey(request);
  const caller = key === undefined ? undefined : context.keys.identify(key);
  if (caller !== undefined) return caller;
  tellRefusal(context, request, key !== undefined);
  const problem = key === undefined ? 'An API key is required' : 'The API key is unknown';
  throw new SttError(
    'UNAUTHENTICATED',
    `${problem}: send Authorization: Bearer KEY, or X-API-Key: KEY`,
  );
}

function presentedKey({ headers }: FastifyRequest): string | undefined {
  const { authorization, 'x-api-key': apiKey } = headers;
  const bearer = /^(?:Bearer|Token) +(\S+) *$/i.exec(authorization ?? '')?.[1];
  return bearer ?? (typeof apiKey === 'string' ? apiKey.trim() : undefined);
}

/** Whoever runs the service: by its token where one is set, else everyone where there are no keys. */
function isOperator(request: FastifyRequest, { config, keys }: ServiceContext): boolean {
  const { metricsToken } = config.service;
  const access = request.routeOptions.config.access ?? 'key';
  if (access === 'key') return false;
  if (metricsToken === undefined && keys === undefined) return true;
  const key = presentedKey(request);
  return metricsToken !== undefined && key !== undefined && isSameSecret(key, metricsToken);
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
