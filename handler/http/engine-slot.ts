import { untilAborted } from '../../core/until-aborted.ts';
import type { JobExecutor } from '../jobs/contracts.ts';

export const PHASES = ['loading', 'ready', 'draining', 'failed'] as const;
export type Phase = (typeof PHASES)[number];

/** What an engine counts; `models/` and a gateway fill in what they know. */
export interface EngineStats {
  readonly batches: number;
  readonly rows: number;
  /** Share of the places in batches that were used, 0–1. */
  readonly fill: number;
  readonly batchSize: number;
  readonly outOfMemory: number;
  readonly retriedBatches: number;
  readonly replaced: number;
  readonly queueLength: { readonly realtime: number; readonly file: number };
  readonly tenants: number;
  /** From the request of a window to its first batch. */
  readonly waits: { readonly realtime: EngineWaits; readonly file: EngineWaits };
}

export interface EngineWaits {
  readonly count: number;
  readonly sumMs: number;
  /** Of the last few hundred windows. */
  readonly p50Ms: number;
  readonly p95Ms: number;
}

/** Whatever runs the jobs of the service, once it is ready. */
export interface ServiceEngine {
  readonly executor: JobExecutor;
  readonly model: string;
  readonly device: string;
  readonly languages: readonly string[];
  /** Every network that is loaded, and what it is for. */
  readonly models?: readonly { readonly name: string; readonly task: string }[];
  stats(): EngineStats | null;
  /** It tries again by itself what another run may mend, so that nobody else should. */
  readonly repeatsFailures?: boolean;
  /** False: jobs that wait had better go on waiting. */
  mayBegin?(): boolean;
  /** More for `GET /stt/status`, such as the health of an endpoint. */
  details?(): Promise<Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

/** The place of the engine: empty while it is loaded in the background. */
export class EngineSlot {
  #phase: Phase = 'loading';
  #engine: ServiceEngine | undefined;
  readonly #loaded: Promise<ServiceEngine>;
  #settle!: (loading: Promise<ServiceEngine>) => void;

  constructor() {
    this.#loaded = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#loaded.catch(() => {}); // whoever waits hears of it; so does the caller of `load`
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Undefined until it has been loaded. */
  get engine(): ServiceEngine | undefined {
    return this.#engine;
  }

  /** Loads in the background; resolves or rejects as `load` does. */
  async load(load: () => Promise<ServiceEngine>): Promise<ServiceEngine> {
    this.#settle(load());
    try {
      this.#engine = await this.#loaded;
      if (this.#phase === 'loading') this.#phase = 'ready';
      return this.#engine;
    } catch (error) {
      this.fail();
      throw error;
    }
  }

  drain(): void {
    if (this.#phase !== 'failed') this.#phase = 'draining';
  }

  fail(): void {
    this.#phase = 'failed';
  }

  /** The engine, waited for until it is loaded, begun or not. @throws what loading throws */
  async ready(signal: AbortSignal): Promise<ServiceEngine> {
    if (this.#engine !== undefined) return this.#engine;
    return await untilAborted(this.#loaded, signal);
  }
}
