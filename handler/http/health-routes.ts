import type { FastifyInstance } from 'fastify';
import type { Phase } from './engine-slot.ts';
import type { ServiceContext } from './service-context.ts';

const PUBLIC = { config: { access: 'public' } } as const;

/** While it is loading the process is well, so only a leaving or broken one is told as unhealthy. */
const HEALTH_STATUS: Readonly<Record<Phase, number>> = {
  loading: 200,
  ready: 200,
  draining: 503,
  failed: 503,
};
/** RunPod's load balancer: 204 while a worker initialises, 200 when it may get requests. */
const PING_STATUS: Readonly<Record<Phase, number>> = { ...HEALTH_STATUS, loading: 204 };

/** What monitors and load balancers ask. */
export function addHealthRoutes(app: FastifyInstance, context: ServiceContext): void {
  const { slot, metrics } = context;
  app.get('/health', PUBLIC, async (_, reply) =>
    reply.code(HEALTH_STATUS[slot.phase]).send({
      status: slot.phase,
      model: slot.engine?.model ?? null,
      device: slot.engine?.device ?? null,
      version: context.version,
      uptime: Math.round((performance.now() - context.startedAtMs) / 1000),
    }),
  );
  app.get('/ping', PUBLIC, async (_, reply) => {
    const status = PING_STATUS[slot.phase];
    return status === 204
      ? reply.code(204).send()
      : reply.code(status).send({ status: slot.phase });
  });
  app.get('/metrics', { config: { access: 'operator' } }, async (_, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
