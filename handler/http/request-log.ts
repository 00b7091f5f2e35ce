import type { FastifyInstance } from 'fastify';
import { ANONYMOUS } from '../tenants/tenant.ts';
import type { ServiceContext } from './service-context.ts';

/** What monitors ask every few seconds is counted, not logged. */
const QUIET_ROUTES: ReadonlySet<string> = new Set(['/health', '/ping', '/metrics']);

/** One line and one count for each request; the route is its pattern, never the caller's path. */
export function logRequests(app: FastifyInstance, { logger, metrics }: ServiceContext): void {
  app.decorateRequest('startedAtMs', 0);
  app.decorateRequest('caller');
  app.decorateRequest('isOperator', false);
  app.decorateRequest('held', null);
  app.addHook('onRequest', async (request) => {
    request.startedAtMs = performance.now();
    request.caller = ANONYMOUS;
  });
  app.addHook('onResponse', async (request, reply) => {
    const elapsedMs = Math.round(performance.now() - request.startedAtMs);
    const route = request.routeOptions.url ?? 'unknown';
    const { statusCode: status } = reply;
    metrics.countRequest(request.method, route, status, elapsedMs / 1000);
    if (QUIET_ROUTES.has(route)) return;
    const { tenant, keyId } = request.caller;
    logger.info(
      {
        requestId: request.id,
        method: request.method,
        route,
        status,
        elapsedMs,
        ...(tenant && { tenant: tenant.id, keyId }),
      },
      'request answered',
    );
  });
}
