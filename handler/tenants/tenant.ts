/** What a tenant may use; undefined is unlimited. */
export interface TenantLimits {
  readonly requestsPerMin: number;
  /** At work at the same time, and waited for. */
  readonly concurrentJobs: number;
  /** Asynchronous jobs that wait. */
  readonly queuedJobs: number;
  readonly audioMinPerDay: number | undefined;
  readonly maxUploadBytes: number | undefined;
  /** Recordings on the disk: being received, at work, or of jobs that wait. */
  readonly storedUploadBytes: number;
  /** Whether audio of live sessions is kept for a refined transcript; undefined: as the service has it. */
  readonly keepsLiveAudio?: boolean | undefined;
}

export interface Tenant {
  readonly id: string;
  readonly limits: TenantLimits;
}

/** The limits of a tenant by its name; undefined for one whose keys were removed. */
export type LimitsOf = (tenantId: string) => TenantLimits | undefined;

/** Who sends a request; without keys there is nobody to tell apart, and no limit but the queue. */
export interface Caller {
  readonly tenant: Tenant | null;
  /** The first digits of the key's hash: enough to find it, nothing to guess it from. */
  readonly keyId: string | null;
}

export const ANONYMOUS: Caller = { tenant: null, keyId: null };
