const WINDOW_MS = 60_000;

export interface RequestAllowance {
  readonly isAllowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Until one more request is allowed, or until the allowance is full again. */
  readonly resetSec: number;
}

/** A token bucket per tenant: a minute's requests at once, refilled evenly. */
export class RequestWindow {
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Takes one request from the tenant's allowance where there is one. */
  take(tenantId: string, limit: number): RequestAllowance {
    const nowMs = this.#nowMs();
    const bucket = this.#buckets.get(tenantId) ?? { tokens: limit, atMs: nowMs };
    const refilled = bucket.tokens + ((nowMs - bucket.atMs) * limit) / WINDOW_MS;
    const tokens = Math.min(limit, refilled);
    const isAllowed = tokens >= 1;
    const left = isAllowed ? tokens - 1 : tokens;
    this.#buckets.set(tenantId, { tokens: left, atMs: nowMs });
    const missing = isAllowed ? limit - left : 1 - left;
    return {
      isAllowed,
      limit,
      remaining: Math.floor(left),
      resetSec: Math.ceil((missing * WINDOW_MS) / limit / 1000),
    };
  }
}
