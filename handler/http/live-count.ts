import type { Registry } from 'prom-client';
import { LiveMeters } from './live-meters.ts';

/** Whoever holds live sessions. */
export interface LiveSource {
  readonly count: number;
  /** The longest stretch of audio of any session whose text is not final yet. */
  readonly lagSec: number;
  countOf(tenant: string | null): number;
  byTenant(): ReadonlyMap<string | null, number>;
}

/** How many live sessions there are, and how they fare; none until their holder is attached. */
export class LiveCount implements LiveSource {
  readonly meters: LiveMeters;
  #source: LiveSource | undefined;

  constructor(registry: Registry) {
    this.meters = new LiveMeters(registry, this);
  }

  attach(source: LiveSource): void {
    this.#source = source;
  }

  get count(): number {
    return this.#source?.count ?? 0;
  }

  get lagSec(): number {
    return this.#source?.lagSec ?? 0;
  }

  countOf(tenant: string | null): number {
    return this.#source?.countOf(tenant) ?? 0;
  }

  byTenant(): ReadonlyMap<string | null, number> {
    return this.#source?.byTenant() ?? new Map();
  }
}
