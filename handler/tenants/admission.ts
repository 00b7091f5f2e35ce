import { SttError } from '../../core/errors.ts';
import { type RequestAllowance, RequestWindow } from './request-window.ts';
import type { Caller, Tenant } from './tenant.ts';
import { MemoryUsageLedger, secToMidnight, type UsageLedger } from './usage-ledger.ts';

/** When a caller that waits for someone's job to end had best ask again. */
const RETRY_CONCURRENCY_SEC = 5;

/** A refusal that says when to come back. */
export class LimitExceeded extends SttError {
  readonly retryAfterSec: number;

  constructor(
    code:
      | 'RATE_LIMITED'
      | 'CONCURRENCY_LIMITED'
      | 'QUOTA_EXCEEDED'
      | 'SERVICE_BUSY'
      | 'MODEL_LOADING',
    message: string,
    retryAfterSec: number,
  ) {
    super(code, message);
    this.retryAfterSec = retryAfterSec;
  }
}

/** Holds tenants to their limits; what one uses never counts against another. */
export class Admission {
  readonly #window: RequestWindow;
  readonly #ledger: UsageLedger;
  readonly #jobs = new Map<string, number>();

  constructor(ledger: UsageLedger = new MemoryUsageLedger(), window = new RequestWindow()) {
    this.#ledger = ledger;
    this.#window = window;
  }

  /** Counts a request; null for callers without limits. */
  countRequest({ tenant }: Caller): RequestAllowance | null {
    return tenant && this.#window.take(tenant.id, tenant.limits.requestsPerMin);
  }

  /**
   * A place for a job of the tenant, to be released once; releasing again does nothing.
   * @throws {LimitExceeded} CONCURRENCY_LIMITED, QUOTA_EXCEEDED
   */
  beginJob({ tenant }: Caller): () => void {
    if (tenant === null) return () => undefined;
    this.assertAudioLeft(tenant);
    const running = this.jobsOf(tenant.id);
    if (running >= tenant.limits.concurrentJobs) {
      const message = `${tenant.limits.concurrentJobs} jobs of this tenant are at work, which is its limit`;
      throw new LimitExceeded('CONCURRENCY_LIMITED', message, RETRY_CONCURRENCY_SEC);
    }
    this.#jobs.set(tenant.id, running + 1);
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.#jobs.set(tenant.id, this.jobsOf(tenant.id) - 1);
    };
  }

  /** @throws {LimitExceeded} QUOTA_EXCEEDED; a job that has begun may run over. */
  assertAudioLeft({ id, limits }: Tenant): void {
    if (limits.audioMinPerDay === undefined) return;
    if (this.#ledger.audioSecToday(id) < limits.audioMinPerDay * 60) return;
    const message = `The ${limits.audioMinPerDay} minutes of audio of this day (UTC) are used up`;
    throw new LimitExceeded('QUOTA_EXCEEDED', message, secToMidnight(Date.now()));
  }

  jobsOf(tenantId: string): number {
    return this.#jobs.get(tenantId) ?? 0;
  }

  audioSecToday(tenantId: string): number {
    return this.#ledger.audioSecToday(tenantId);
  }

  countAudio(tenantId: string | null, audioSec: number): void {
    if (tenantId !== null) this.#ledger.add(tenantId, audioSec);
  }
}
