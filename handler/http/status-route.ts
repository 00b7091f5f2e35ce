import type { FastifyInstance } from 'fastify';
import type { Caller } from '../tenants/tenant.ts';
import { rounded } from '../wire-segment.ts';
import type { EngineStats, EngineWaits } from './engine-slot.ts';
import { gpuMemoryOf } from './machine-gauges.ts';
import type { ServiceContext } from './service-context.ts';

const ACCESS = { config: { access: 'key-or-operator' } } as const;

/**
 * The state of the engine, and of the caller's own jobs, sessions and limits. Of others' only the
 * operator hears, and everyone where nobody is told apart.
 */
export function addStatusRoute(app: FastifyInstance, context: ServiceContext): void {
  app.get('/stt/status', ACCESS, async ({ caller, isOperator }) => {
    const { slot, config, version, live } = context;
    const { engine } = slot;
    const { tenant } = caller;
    const seesAll = isOperator || context.keys === undefined;
    const stats = seesAll ? (engine?.stats() ?? null) : null;
    const gpu = await gpuMemoryOf(slot);
    return {
      status: slot.phase,
      version,
      model: engine?.model ?? null,
      models: engine?.models ?? [],
      device: engine?.device ?? null,
      languages: engine?.languages ?? [],
      jobs: jobsOf(caller, seesAll, context),
      sessions: seesAll ? live.count : live.countOf(tenant?.id ?? null),
      live: seesAll ? liveOf(context) : null,
      engine: stats === null ? null : engineOf(stats),
      ...(seesAll && engine?.details && { details: await engine.details() }),
      memory: {
        resident_mb: Math.round(process.memoryUsage.rss() / 1e6),
        gpu_used_mb: gpu?.usedMb ?? null,
        gpu_total_mb: gpu?.totalMb ?? null,
      },
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

function jobsOf({ tenant }: Caller, seesAll: boolean, { gate, admission }: ServiceContext) {
  if (seesAll || tenant === null) return { running: gate.running, waiting: gate.waiting };
  const waiting = gate.waitingOf(tenant.id);
  return { running: Math.max(0, admission.jobsOf(tenant.id) - waiting), waiting };
}

function liveOf({ live }: ServiceContext) {
  const { p50, p95 } = live.meters.finalSec();
  return {
    lag_seconds: rounded(live.lagSec, 1),
    final_seconds: { p50: rounded(p50, 3), p95: rounded(p95, 3) },
  };
}

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
    queued_jobs: limits.queuedJobs,
    jobs_running: admission.jobsOf(id),
    audio_minutes_per_day: limits.audioMinPerDay ?? null,
    audio_minutes_today: rounded(admission.audioSecToday(id) / 60, 2),
  };
}
