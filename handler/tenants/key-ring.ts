import { createHash, timingSafeEqual } from 'node:crypto';
import type { Caller, Tenant, TenantLimits } from './tenant.ts';

const KEY_ID_DIGITS = 12;

export interface KeyEntry {
  readonly tenant: Tenant;
  /** SHA-256 of each key, in hex. */
  readonly keyHashes: readonly string[];
  /** What the tenant's webhooks are signed with; its own, so that no tenant can forge another's. */
  readonly webhookSecrets: readonly string[];
}

/** SHA-256 in hex: all that is kept of a key, which is random and long enough to need no salt. */
export const hashKey = (key: string): string => createHash('sha256').update(key).digest('hex');

/** Finds the tenant of a key in a time that does not depend on how much of a hash is right. */
export class KeyRing {
  readonly #entries: ReadonlyMap<string, KeyEntry>;
  readonly #keys: readonly { readonly hash: Buffer; readonly caller: Caller }[];

  constructor(entries: readonly KeyEntry[]) {
    this.#entries = new Map(entries.map((entry) => [entry.tenant.id, entry]));
    this.#keys = entries.flatMap(({ tenant, keyHashes }) =>
      keyHashes.map((hash) => ({
        hash: Buffer.from(hash, 'hex'),
        caller: { tenant, keyId: hash.slice(0, KEY_ID_DIGITS) },
      })),
    );
  }

  get size(): number {
    return this.#keys.length;
  }

  webhookSecretsOf(tenantId: string): readonly string[] {
    return this.#entries.get(tenantId)?.webhookSecrets ?? [];
  }

  /** Undefined for a tenant without keys. */
  limitsOf(tenantId: string): TenantLimits | undefined {
    return this.#entries.get(tenantId)?.tenant.limits;
  }

  /** Compares with every key, so that the place of a match does not show either. */
  identify(key: string): Caller | undefined {
    const presented = createHash('sha256').update(key).digest();
    let found: Caller | undefined;
    for (const { hash, caller } of this.#keys) {
      if (timingSafeEqual(hash, presented)) found = caller;
    }
    return found;
  }
}

/** Whether two secrets are the same, in constant time. */
export const isSameSecret = (presented: string, expected: string): boolean =>
  timingSafeEqual(
    createHash('sha256').update(presented).digest(),
    createHash('sha256').update(expected).digest(),
  );
