import type { Scheduling } from '../../pipeline/contracts.ts';

interface QueuedWindow {
  readonly arrival: number;
  readonly scheduling: Scheduling;
}

interface Tenant<Window> {
  /** Windows served since it began to wait, counted from the least served one of that moment. */
  served: number;
  /** By arrival, never empty. */
  readonly waiting: Window[];
}

/**
 * Windows of one priority. The tenant with the fewest served windows is next, and by arrival where
 * they are even; who comes anew starts level with the least served, neither behind nor with a claim
 * to the time it did not ask for. Tenants without a waiting window are forgotten.
 */
export class FairQueue<Window extends QueuedWindow> {
  readonly #tenants = new Map<string | null, Tenant<Window>>();

  get length(): number {
    return [...this.#tenants.values()].reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  /** In no particular order. */
  *windows(): Generator<Window> {
    for (const { waiting } of this.#tenants.values()) yield* waiting;
  }

  get tenants(): (string | null)[] {
    return [...this.#tenants.keys()];
  }

  /** Keeps the order of arrival also for a window that comes back. */
  add(window: Window): void {
    const { waiting } = this.#tenantOf(window);
    const at = waiting.findLastIndex(({ arrival }) => arrival < window.arrival) + 1;
    waiting.splice(at, 0, window);
  }

  remove(window: Window): void {
    const { tenant } = window.scheduling;
    const waiting = this.#tenants.get(tenant)?.waiting ?? [];
    const at = waiting.indexOf(window);
    if (at >= 0) waiting.splice(at, 1);
    if (waiting.length === 0) this.#tenants.delete(tenant);
  }

  /** Removes the window and counts it for its tenant. */
  serve(window: Window): void {
    const tenant = this.#tenants.get(window.scheduling.tenant);
    if (tenant) tenant.served += 1;
    this.remove(window);
  }

  oldest(): Window | undefined {
    let oldest: Window | undefined;
    for (const { waiting } of this.#tenants.values()) {
      if (oldest === undefined || waiting[0]!.arrival < oldest.arrival) oldest = waiting[0];
    }
    return oldest;
  }

  /** The window whose turn it is among those that are `eligible`. */
  next(eligible: (window: Window) => boolean = () => true): Window | undefined {
    let best: { readonly window: Window; readonly served: number } | undefined;
    for (const { waiting, served } of this.#tenants.values()) {
      if (best !== undefined && served > best.served) continue;
      const window = waiting.find(eligible);
      if (window === undefined) continue;
      const isBetter =
        best === undefined || served < best.served || window.arrival < best.window.arrival;
      if (isBetter) best = { window, served };
    }
    return best?.window;
  }

  #tenantOf({ scheduling }: Window): Tenant<Window> {
    const known = this.#tenants.get(scheduling.tenant);
    if (known) return known;
    const leastServed = Math.min(...[...this.#tenants.values()].map(({ served }) => served));
    const tenant = { served: Number.isFinite(leastServed) ? leastServed : 0, waiting: [] };
    this.#tenants.set(scheduling.tenant, tenant);
    return tenant;
  }
}
