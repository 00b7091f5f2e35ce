import { randomBytes } from 'node:crypto';

const DEFAULT_LIFETIME_SEC = 300;

/** Credentials that may stand in a URL: each works once, and is worthless minutes later. */
export class AccessTokens<Grant> {
  readonly #lifetimeSec: number;
  readonly #prefix: string;
  readonly #issued = new Map<string, { readonly grant: Grant; readonly expiresAtMs: number }>();

  constructor(lifetimeSec = DEFAULT_LIFETIME_SEC, prefix = 'rt_') {
    this.#lifetimeSec = lifetimeSec;
    this.#prefix = prefix;
  }

  issue(grant: Grant, lifetimeSec = this.#lifetimeSec, nowMs = Date.now()) {
    for (const [token, { expiresAtMs }] of this.#issued) {
      if (expiresAtMs <= nowMs) this.#issued.delete(token);
    }
    const token = `${this.#prefix}${randomBytes(24).toString('base64url')}`;
    const expiresAtMs = nowMs + lifetimeSec * 1000;
    this.#issued.set(token, { grant, expiresAtMs });
    return { token, expiresAtMs };
  }

  /** Undefined for a token that is unknown, used or too old. */
  redeem(token: string, nowMs = Date.now()): Grant | undefined {
    const issued = this.#issued.get(token);
    this.#issued.delete(token);
    return issued && issued.expiresAtMs > nowMs ? issued.grant : undefined;
  }
}
