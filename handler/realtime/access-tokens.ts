import { randomBytes } from 'node:crypto';
import { LimitExceeded } from '../tenants/limit-exceeded.ts';

const DEFAULT_LIFETIME_SEC = 300;
/** Unused ones of one holder; who asks for so many has no use for them. */
const MAX_OF_HOLDER = 1000;
const SWEEP_MS = 1000;
const RETRY_SEC = 60;

interface Issued<Grant> {
  readonly grant: Grant;
  readonly expiresAtMs: number;
}

/** Credentials that may stand in a URL: each works once, and is worthless minutes later. */
export class AccessTokens<Grant> {
  readonly #lifetimeSec: number;
  readonly #prefix: string;
  readonly #holderOf: (grant: Grant) => string | null;
  readonly #issued = new Map<string, Issued<Grant>>();
  readonly #countByHolder = new Map<string | null, number>();
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  /** `holderOf`: the tenant of a grant, whose tokens are counted together. */
  constructor(
    lifetimeSec = DEFAULT_LIFETIME_SEC,
    prefix = 'rt_',
    holderOf: (grant: Grant) => string | null = () => null,
  ) {
    this.#lifetimeSec = lifetimeSec;
    this.#prefix = prefix;
    this.#holderOf = holderOf;
  }

  /** @throws {LimitExceeded} RATE_LIMITED where its holder has too many that nobody has used. */
  issue(grant: Grant, lifetimeSec = this.#lifetimeSec, nowMs = Date.now()) {
    if (nowMs - this.#sweptAtMs >= SWEEP_MS) this.#sweep(nowMs);
    if ((this.#countByHolder.get(this.#holderOf(grant)) ?? 0) >= MAX_OF_HOLDER) {
      const message = `${MAX_OF_HOLDER} tokens are out that nobody has used`;
      throw new LimitExceeded('RATE_LIMITED', message, RETRY_SEC);
    }
    const token = `${this.#prefix}${randomBytes(24).toString('base64url')}`;
    const expiresAtMs = nowMs + lifetimeSec * 1000;
    this.#issued.set(token, { grant, expiresAtMs });
    this.#count(grant, 1);
    return { token, expiresAtMs };
  }

  /** Undefined for a token that is unknown, used or too old. */
  redeem(token: string, nowMs = Date.now()): Grant | undefined {
    const issued = this.#issued.get(token);
    if (issued === undefined) return undefined;
    this.#remove(token, issued);
    return issued.expiresAtMs > nowMs ? issued.grant : undefined;
  }

  #sweep(nowMs: number): void {
    this.#sweptAtMs = nowMs;
    for (const [token, issued] of this.#issued) {
      if (issued.expiresAtMs <= nowMs) this.#remove(token, issued);
    }
  }

  #remove(token: string, { grant }: Issued<Grant>): void {
    this.#issued.delete(token);
    this.#count(grant, -1);
  }

  #count(grant: Grant, change: number): void {
    const holder = this.#holderOf(grant);
    const count = (this.#countByHolder.get(holder) ?? 0) + change;
    if (count > 0) this.#countByHolder.set(holder, count);
    else this.#countByHolder.delete(holder);
  }
}
