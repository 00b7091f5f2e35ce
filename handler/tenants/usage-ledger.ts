const DAY_MS = 24 * 60 * 60 * 1000;

/** What is added to the day of a tenant; negative takes back. */
export interface UsedAudio {
  readonly jobs: number;
  readonly audioSec: number;
}

/** Audio that tenants have used, by day (UTC). */
export interface UsageLedger {
  /** Seconds of audio since midnight. */
  audioSecToday(tenantId: string): number;
  add(tenantId: string, used: UsedAudio): void;
}

/** Seconds until the day ends, for `Retry-After`. */
export const secToMidnight = (nowMs: number): number =>
  Math.ceil((DAY_MS - (nowMs % DAY_MS)) / 1000);

/** Forgets with the process; a durable one may take its place. */
export class MemoryUsageLedger implements UsageLedger {
  readonly #nowMs: () => number;
  #day = -1;
  #audioSec = new Map<string, number>();

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  audioSecToday(tenantId: string): number {
    return Math.max(0, this.#today().get(tenantId) ?? 0);
  }

  add(tenantId: string, { audioSec }: UsedAudio): void {
    const today = this.#today();
    today.set(tenantId, (today.get(tenantId) ?? 0) + audioSec);
  }

  #today(): Map<string, number> {
    const day = Math.floor(this.#nowMs() / DAY_MS);
    if (day !== this.#day) {
      this.#day = day;
      this.#audioSec = new Map();
    }
    return this.#audioSec;
  }
}
