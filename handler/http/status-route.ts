import type { FastifyInstance } from 'fastify';
import type { Caller } from '../tenants/tenant.ts';
import { rounded } from '../wire-segment.ts';
import type { EngineStats, EngineWaits } from './engine-slot.ts';
import type { ServiceContext } from './service-context.ts';

/** The state of the engine, and of the caller's own limits; nothing of other tenants. */
export function addStatusRoute(app: FastifyInstance, context: ServiceContext): void {
  app.get('/stt/status', async ({ caller }) => {
    const { slot, gate, config, version } = context;
    const { engine } = slot;
    const stats = engine?.stats() ?? null;
    return {
      status: slot.phase,
      version,
      model: engine?.model ?? null,
      device: engine?.device ?? null,
      languages: engine?.languages ?? [],
      jobs: { running: gate.running, waiting: gate.waiting },
      engine: stats === null ? null : engineOf(stats),
      ...(engine?.details && { details: await engine.details() }),
      memory: { resident_mb: Math.round(process.memoryUsage.rss() / 1e6) },
      limits: {
        max_audio_mb: rounded(maxUploadBytes(caller, config.audio.maxBytes) / (1024 * 1024), 2),
        max_audio_sec: config.audio.maxSec,
        max_concurrent_jobs: config.service.maxConcurrentJobs,
        max_queued_jobs: config.service.maxQueuedJobs,
      },
      tenant: tenantOf(caller, context),
    };
  });
}

/** The lower one of the service's limit and the tenant's. */
export const maxUploadBytes = ({ tenant }: Caller, maxBytes: number): number =>
  Math.min(maxBytes, tenant?.limits.maxUploadBytes ?? maxBytes);

const engineOf = (stats: EngineStats) => ({
  batches: stats.batches,
  windows: stats.rows,
  batch_fill: rounded(stats.fill),
  batch_size: stats.batchSize,
  out_of_memory: stats.outOfMemory,
  queue: stats.queueLength,
  wait_seconds: { realtime: waitsOf(stats.waits.realtime), file: waitsOf(stats.waits.file) },
});

const waitsOf = ({ p50Ms, p95Ms }: EngineWaits) => ({
  p50: rounded(p50Ms / 1000, 3),
  p95: rounded(p95Ms / 1000, 3),
});

function tenantOf({ tenant }: Caller, { admission }: ServiceContext) {
  if (tenant === null) return null;
  const { id, limits } = tenant;
  return {
    tenant_id: id,
    requests_per_minute: limits.requestsPerMin,
    concurrent_jobs: limits.concurrentJobs,
    jobs_running: admission.jobsOf(id),
    audio_minutes_per_day: limits.audioMinPerDay ?? null,
    audio_minutes_today: rounded(admission.audioSecToday(id) / 60, 2),
  };
}
