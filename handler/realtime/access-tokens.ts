import { randomBytes } from 'node:crypto';

const DEFAULT_LIFETIME_SEC = 300;

/** Credentials that may stand in a URL: each works once, and is worthless minutes later. */
export class AccessTokens<Caller> {
  readonly #lifetimeMs: number;
  readonly #issued = new Map<string, { readonly caller: Caller; readonly expiresAtMs: number }>();

  constructor(lifetimeSec = DEFAULT_LIFETIME_SEC) {
    this.#lifetimeMs = lifetimeSec * 1000;
  }

  issue(caller: Caller, nowMs = Date.now()) {
    for (const [token, { expiresAtMs }] of this.#issued) {
      if (expiresAtMs <= nowMs) this.#issued.delete(token);
    }
    const token = `rt_${randomBytes(24).toString('base64url')}`;
    const expiresAtMs = nowMs + this.#lifetimeMs;
    this.#issued.set(token, { caller, expiresAtMs });
    return { token, expiresAtMs };
  }

  /** Undefined for a token that is unknown, used or too old. */
  redeem(token: string, nowMs = Date.now()): Caller | undefined {
    const issued = this.#issued.get(token);
    this.#issued.delete(token);
    return issued && issued.expiresAtMs > nowMs ? issued.caller : undefined;
  }
}
