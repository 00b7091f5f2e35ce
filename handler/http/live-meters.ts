import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { LiveMeter } from '../realtime/contracts.ts';

const WINDOW_SEC = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];
const FINAL_SEC = [0.5, 1, 1.5, 2, 3, 5, 10, 30, 120, 900];
/** Latencies that the percentiles of the status are taken of. */
const MAX_RECENT = 500;

/** What live sessions are, read when someone asks. */
interface Watched {
  readonly lagSec: number;
  byTenant(): ReadonlyMap<string | null, number>;
}

/** Counts what live sessions do, for Prometheus and the status. */
export class LiveMeters implements LiveMeter {
  readonly #windows: Counter;
  readonly #windowSec: Histogram;
  readonly #finalSec: Histogram;
  readonly #gaps: Counter;
  readonly #gapSec: Counter;
  readonly #resumes: Counter;
  readonly #closings: Counter;
  readonly #recent: number[] = [];

  constructor(registry: Registry, live: Watched) {
    const registers = [registry];
    const counter = (name: string, help: string, labelNames: string[] = []): Counter =>
      new Counter({ name, help, labelNames, registers });
    const histogram = (name: string, help: string, buckets: number[]): Histogram =>
      new Histogram({ name, help, buckets, registers });
    this.#windows = counter('stt_live_windows_total', 'Windows asked for', ['outcome']);
    this.#windowSec = histogram('stt_live_window_seconds', 'Until they are recognised', WINDOW_SEC);
    this.#finalSec = histogram(
      'stt_live_final_seconds',
      'From the arrival of the last sample of final words until they are told',
      FINAL_SEC,
    );
    this.#gaps = counter('stt_live_gaps_total', 'Stretches of speech that were given up');
    this.#gapSec = counter('stt_live_gap_seconds_total', 'Their length');
    this.#resumes = counter('stt_live_resumes_total', 'Clients that came back', ['after']);
    this.#closings = counter('stt_live_closings_total', 'Sockets closed, by close code', ['code']);
    watch(registry, live);
  }

  window(outcome: string, elapsedSec: number): void {
    this.#windows.inc({ outcome });
    if (outcome === 'recognised') this.#windowSec.observe(elapsedSec);
  }

  final(latencySec: number): void {
    this.#finalSec.observe(latencySec);
    this.#recent.push(latencySec);
    if (this.#recent.length > MAX_RECENT) this.#recent.shift();
  }

  gap(lengthSec: number): void {
    this.#gaps.inc();
    this.#gapSec.inc(lengthSec);
  }

  resumed(after: string): void {
    this.#resumes.inc({ after });
  }

  closed(code: number): void {
    this.#closings.inc({ code: String(code) });
  }

  /** Of the last few hundred finals; 0 where there were none. */
  finalSec(): { readonly p50: number; readonly p95: number } {
    const sorted = this.#recent.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
    return { p50: at(0.5), p95: at(0.95) };
  }
}

function watch(registry: Registry, live: Watched): void {
  const lag: Gauge = new Gauge({
    name: 'stt_live_lag_seconds',
    help: 'Longest stretch of audio of a session whose text is not final yet',
    registers: [registry],
    collect: () => lag.set(live.lagSec),
  });
  const sessions: Gauge<'tenant'> = new Gauge({
    name: 'stt_live_tenant_sessions',
    help: 'Live sessions by tenant',
    labelNames: ['tenant'],
    registers: [registry],
    collect: () => {
      sessions.reset();
      for (const [tenant, count] of live.byTenant()) sessions.set({ tenant: tenant ?? '' }, count);
    },
  });
}
