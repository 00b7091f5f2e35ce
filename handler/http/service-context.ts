import type { Config } from '../../core/config.ts';
import type { Logger } from '../../core/logger.ts';
import type { AsyncJobs, JobExecutor } from '../jobs/contracts.ts';
import type { JsonLimits } from '../json-limits.ts';
import type { Admission } from '../tenants/admission.ts';
import type { KeyRing } from '../tenants/key-ring.ts';
import type { Caller } from '../tenants/tenant.ts';
import type { UploadSpace } from '../tenants/upload-space.ts';
import type { ActiveWork } from './active-work.ts';
import type { EngineSlot } from './engine-slot.ts';
import type { JobGate } from './job-gate.ts';
import type { LiveCount } from './live-count.ts';
import type { ServiceMetrics } from './metrics.ts';

/** Who may use a route. */
export type Access =
  /** Everyone: nothing of a tenant is in it. */
  | 'public'
  /** Callers with a key, where there are keys. */
  | 'key'
  /** These, and whoever runs the service, who sees all of it. */
  | 'key-or-operator'
  /** Whoever runs the service. */
  | 'operator';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `key` unless set. */
    readonly access?: Access;
    /** What its JSON body may hold; `JOB_JSON` unless set. */
    readonly json?: JsonLimits;
  }
  interface FastifyRequest {
    caller: Caller;
    /** The caller runs the service, and is of no tenant. */
    isOperator: boolean;
    startedAtMs: number;
  }
}

/** What the routes share. */
export interface ServiceContext {
  readonly config: Pick<Config, 'service' | 'audio' | 'maxDecodeCost'>;
  readonly logger: Logger;
  readonly version: string;
  readonly startedAtMs: number;
  /** Undefined: no keys are configured and everyone is anonymous. */
  readonly keys: KeyRing | undefined;
  readonly slot: EngineSlot;
  readonly gate: JobGate;
  readonly admission: Admission;
  readonly uploadSpace: UploadSpace;
  readonly metrics: ServiceMetrics;
  readonly work: ActiveWork;
  readonly executor: JobExecutor;
  readonly asyncJobs: AsyncJobs | undefined;
  /** Live sessions, told by whoever holds them. */
  readonly live: LiveCount;
}
