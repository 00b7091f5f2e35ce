import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type AsyncJobs, JOB_STATES } from '../jobs/contracts.ts';
import { type EngineSlot, type EngineStats, type EngineWaits, PHASES } from './engine-slot.ts';
import type { JobGate } from './job-gate.ts';

const NO_TENANT = '';
const REQUEST_SEC = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800];
const REAL_TIME_FACTORS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2];

export interface JobOutcome {
  /** Null: completed. */
  readonly code: string | null;
  readonly elapsedSec: number;
  readonly audioSec?: number;
  readonly decodedRows?: number;
}

interface Watched {
  readonly slot: EngineSlot;
  readonly gate: JobGate;
  readonly asyncJobs: AsyncJobs | undefined;
}

const ENGINE_GAUGES: Readonly<Record<string, readonly [string, (stats: EngineStats) => number]>> = {
  stt_engine_batches: ['Batches started', ({ batches }) => batches],
  stt_engine_windows: ['Windows in those batches', ({ rows }) => rows],
  stt_engine_batch_fill: ['Share of places in batches that were used', ({ fill }) => fill],
  stt_engine_batch_size: ['Windows decoded together at most', ({ batchSize }) => batchSize],
  stt_engine_out_of_memory: ['Batches that GPU memory could not hold', (s) => s.outOfMemory],
  stt_engine_retried_batches: ['Batches run again row by row', (s) => s.retriedBatches],
  stt_engine_replaced_windows: ['Windows replaced by newer ones', ({ replaced }) => replaced],
  stt_engine_waiting_tenants: ['Tenants with a window that waits', ({ tenants }) => tenants],
};

/** What Prometheus reads; tenants are labels of counters only. */
export class ServiceMetrics {
  readonly registry = new Registry();
  readonly #requests = new Counter({
    name: 'stt_http_requests_total',
    help: 'Requests by route and status',
    labelNames: ['method', 'route', 'status'],
    registers: [this.registry],
  });
  readonly #requestSec = new Histogram({
    name: 'stt_http_request_seconds',
    help: 'From the request to the end of its answer',
    labelNames: ['route'],
    buckets: REQUEST_SEC,
    registers: [this.registry],
  });
  readonly #jobs = new Counter({
    name: 'stt_jobs_total',
    help: 'Jobs that ended, by tenant and error code (empty: completed)',
    labelNames: ['tenant', 'code'],
    registers: [this.registry],
  });
  readonly #audioSec = new Counter({
    name: 'stt_audio_seconds_total',
    help: 'Audio transcribed, by tenant',
    labelNames: ['tenant'],
    registers: [this.registry],
  });
  readonly #decodedRows = new Counter({
    name: 'stt_decoded_rows_total',
    help: 'Windows times the beams or samples of each, by tenant',
    labelNames: ['tenant'],
    registers: [this.registry],
  });
  readonly #realTimeFactor = new Histogram({
    name: 'stt_real_time_factor',
    help: 'Time from acceptance to result, divided by the length of the audio',
    buckets: REAL_TIME_FACTORS,
    registers: [this.registry],
  });
  readonly #rejections = new Counter({
    name: 'stt_rejections_total',
    help: 'Requests refused by a limit or for their key, by code',
    labelNames: ['code'],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  countRequest(method: string, route: string, status: number, elapsedSec: number): void {
    this.#requests.inc({ method, route, status: String(status) });
    this.#requestSec.observe({ route }, elapsedSec);
  }

  countRejection(code: string): void {
    this.#rejections.inc({ code });
  }

  countJob(tenant: string | null, { code, elapsedSec, audioSec, decodedRows }: JobOutcome): void {
    this.#jobs.inc({ tenant: tenant ?? NO_TENANT, code: code ?? '' });
    if (audioSec === undefined) return;
    this.#audioSec.inc({ tenant: tenant ?? NO_TENANT }, audioSec);
    this.#decodedRows.inc({ tenant: tenant ?? NO_TENANT }, decodedRows ?? 0);
    if (audioSec > 0) this.#realTimeFactor.observe(elapsedSec / audioSec);
  }

  /** Gauges that are read off the service when Prometheus asks. */
  watch({ slot, gate, asyncJobs }: Watched): void {
    this.#gauge('stt_jobs_running', 'Jobs at work', () => gate.running);
    this.#gauge('stt_jobs_waiting', 'Jobs that wait for a place', () => gate.waiting);
    for (const [name, [help, measure]] of Object.entries(ENGINE_GAUGES)) {
      this.#gauge(name, help, () => {
        const stats = slot.engine?.stats() ?? null;
        return stats === null ? 0 : measure(stats);
      });
    }
    this.#labelled('stt_engine_queue', 'Windows that wait, by priority', 'priority', async () =>
      Object.entries(slot.engine?.stats()?.queueLength ?? {}),
    );
    this.#watchWaits(slot);
    this.#labelled('stt_phase', '1 for the phase that the service is in', 'phase', async () =>
      PHASES.map((phase) => [phase, phase === slot.phase ? 1 : 0]),
    );
    if (asyncJobs === undefined) return;
    this.#labelled('stt_async_jobs', 'Asynchronous jobs by state', 'state', async () => {
      const counts = await asyncJobs.countByState();
      return JOB_STATES.map((state) => [state, counts[state]]);
    });
  }

  /** As a summary has them; the percentiles are of the last few hundred windows. */
  #watchWaits(slot: EngineSlot): void {
    const waits = () => Object.entries(slot.engine?.stats()?.waits ?? {});
    const gauges = [
      ['p50', 'Median wait of a window for its batch', (w: EngineWaits) => w.p50Ms / 1000],
      ['p95', '95 % of windows wait less', (w: EngineWaits) => w.p95Ms / 1000],
      ['sum', 'Wait of all windows together', (w: EngineWaits) => w.sumMs / 1000],
      ['count', 'Windows that have waited', (w: EngineWaits) => w.count],
    ] as const;
    for (const [suffix, help, measure] of gauges) {
      this.#labelled(`stt_engine_wait_seconds_${suffix}`, help, 'priority', async () =>
        waits().map(([priority, times]) => [priority, measure(times)] as const),
      );
    }
  }

  #gauge(name: string, help: string, measure: () => number): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.registry],
      collect: () => gauge.set(measure()),
    });
  }

  #labelled(
    name: string,
    help: string,
    label: string,
    valuesOf: () => Promise<readonly (readonly [string, number])[]>,
  ): void {
    const gauge: Gauge<string> = new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect: async () => {
        for (const [value, count] of await valuesOf()) gauge.set({ [label]: value }, count);
      },
    });
  }
}
