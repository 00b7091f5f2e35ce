import { LimitExceeded } from './limit-exceeded.ts';
import { type RequestAllowance, RequestWindow } from './request-window.ts';
import type { Caller, LimitsOf } from './tenant.ts';
import { MemoryUsageLedger, secToMidnight, type UsageLedger } from './usage-ledger.ts';

/** When a caller that waits for someone's job to end had best ask again. */
const RETRY_CONCURRENCY_SEC = 5;
/** Of a tenant whose keys were removed: what it has sent before is still done. */
const JOBS_OF_FORMER_TENANT = 1;

export interface AdmissionParts {
  readonly ledger?: UsageLedger;
  readonly window?: RequestWindow;
  readonly limitsOf?: LimitsOf;
  /** Asynchronous jobs of the tenant at work in this process. */
  readonly runningOf?: (tenantId: string) => number;
}

/** Holds tenants to their limits; what one uses never counts against another. */
export class Admission {
  readonly #window: RequestWindow;
  readonly #ledger: UsageLedger;
  readonly #limitsOf: LimitsOf;
  readonly #runningOf: (tenantId: string) => number;
  /** Requests from their first byte to their answer. */
  readonly #held = new Counts();
  /** Those of them that are recognised, or wait for it. */
  readonly #working = new Counts();

  constructor({ ledger, window, limitsOf, runningOf }: AdmissionParts = {}) {
    this.#ledger = ledger ?? new MemoryUsageLedger();
    this.#window = window ?? new RequestWindow();
    this.#limitsOf = limitsOf ?? (() => undefined);
    this.#runningOf = runningOf ?? (() => 0);
  }

  /** Counts a request; null for callers without limits. */
  countRequest({ tenant }: Caller): RequestAllowance | null {
    return tenant && this.#window.take(tenant.id, tenant.limits.requestsPerMin);
  }

  /**
   * Lets a request with a recording in, before its body is read; to be released once, releasing
   * again does nothing. One whose job will not be waited for may come with more of its kind.
   * @throws {LimitExceeded} CONCURRENCY_LIMITED, QUOTA_EXCEEDED
   */
  holdRequest({ tenant }: Caller, isAsync: boolean): () => void {
    if (tenant === null) return () => undefined;
    const { concurrentJobs, queuedJobs } = tenant.limits;
    this.assertAudioLeft(tenant.id);
    const most = concurrentJobs + (isAsync ? queuedJobs : 0);
    if (this.#held.of(tenant.id) >= most) throw tooManyJobs(concurrentJobs);
    return this.#held.add(tenant.id);
  }

  /**
   * A waited job begins; to be called again when it ends.
   * @throws {LimitExceeded} CONCURRENCY_LIMITED beside the tenant's asynchronous jobs
   */
  beginJob({ tenant }: Caller): () => void {
    if (tenant === null) return () => undefined;
    const { concurrentJobs } = tenant.limits;
    if (this.jobsOf(tenant.id) >= concurrentJobs) throw tooManyJobs(concurrentJobs);
    return this.#working.add(tenant.id);
  }

  /** Whether an asynchronous job may begin beside those of the tenant that run in all processes. */
  mayRun(tenantId: string | null, running: number): boolean {
    if (tenantId === null) return true;
    const most = this.#limitsOf(tenantId)?.concurrentJobs ?? JOBS_OF_FORMER_TENANT;
    return running + this.#working.of(tenantId) < most && this.#hasAudioLeft(tenantId);
  }

  /** @throws {LimitExceeded} QUOTA_EXCEEDED; the recording that crosses the limit is finished. */
  assertAudioLeft(tenantId: string | null): void {
    if (tenantId === null || this.#hasAudioLeft(tenantId)) return;
    const minutes = this.#limitsOf(tenantId)?.audioMinPerDay;
    const message = `The ${minutes} minutes of audio of this day (UTC) are used up`;
    throw new LimitExceeded('QUOTA_EXCEEDED', message, secToMidnight(Date.now()));
  }

  /** Jobs of the tenant at work in this process, waited for or not. */
  jobsOf(tenantId: string): number {
    return this.#working.of(tenantId) + this.#runningOf(tenantId);
  }

  audioSecToday(tenantId: string): number {
    return this.#ledger.audioSecToday(tenantId);
  }

  /** Counts audio; `jobs` is 0 for a part of something, and negative to take a job back. */
  countAudio(tenantId: string | null, audioSec: number, jobs = 0): void {
    if (tenantId !== null) this.#ledger.add(tenantId, { jobs, audioSec });
  }

  #hasAudioLeft(tenantId: string): boolean {
    const minutes = this.#limitsOf(tenantId)?.audioMinPerDay;
    return minutes === undefined || this.#ledger.audioSecToday(tenantId) < minutes * 60;
  }
}

const tooManyJobs = (limit: number): LimitExceeded =>
  new LimitExceeded(
    'CONCURRENCY_LIMITED',
    `${limit} jobs of this tenant are at work, which is its limit`,
    RETRY_CONCURRENCY_SEC,
  );

/** How many there are by tenant; what is added is taken away once. */
class Counts {
  readonly #counts = new Map<string, number>();

  of(tenantId: string): number {
    return this.#counts.get(tenantId) ?? 0;
  }

  add(tenantId: string): () => void {
    this.#counts.set(tenantId, this.of(tenantId) + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const left = this.of(tenantId) - 1;
      if (left > 0) this.#counts.set(tenantId, left);
      else this.#counts.delete(tenantId);
    };
  }
}
