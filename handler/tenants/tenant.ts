/** What a tenant may use; undefined is unlimited. */
interface TenantLimits {
  readonly requestsPerMin: number;
  readonly concurrentJobs: number;
  readonly audioMinPerDay: number | undefined;
  readonly maxUploadBytes: number | undefined;
}

export interface Tenant {
  readonly id: string;
  readonly limits: TenantLimits;
}

/** Who sends a request; without keys there is nobody to tell apart, and no limit but the queue. */
export interface Caller {
  readonly tenant: Tenant | null;
  /** The first digits of the key's hash: enough to find it, nothing to guess it from. */
  readonly keyId: string | null;
}

export const ANONYMOUS: Caller = { tenant: null, keyId: null };
