import { LimitExceeded } from '../tenants/limit-exceeded.ts';

/** Jobs that have not settled, and the bytes of their recordings. */
export interface JobCounts {
  readonly queued: number;
  readonly running: number;
  readonly uploadBytes: number;
}

/** What may wait: of one tenant, and of all together. */
export interface QueueLimits {
  readonly maxQueued: number;
  /** Jobs at work at the same time in a process; where one is free a job does not wait. */
  readonly places: number;
  readonly maxUploadBytes: number;
  /** Null: nobody is told apart. */
  readonly tenant: {
    readonly queuedJobs: number;
    readonly concurrentJobs: number;
    readonly storedUploadBytes: number;
  } | null;
}

/** For what was promised before. */
export const UNLIMITED: QueueLimits = {
  maxQueued: Number.POSITIVE_INFINITY,
  places: 0,
  maxUploadBytes: Number.POSITIVE_INFINITY,
  tenant: null,
};

/** Jobs leave a queue in their own time; asking this often costs nothing. */
const RETRY_SEC = 10;

/**
 * Whether one more job may wait. A tenant that has none finds room even in a full queue, so that
 * nobody is locked out by the others.
 * @throws {LimitExceeded} QUEUE_LIMITED, SERVICE_BUSY
 */
export function assertRoomInQueue(
  { own, all }: { readonly own: JobCounts; readonly all: JobCounts },
  uploadBytes: number,
  limits: QueueLimits,
): void {
  const { tenant, maxQueued, places, maxUploadBytes } = limits;
  if (tenant !== null) assertRoomOfTenant(own, uploadBytes, tenant);
  const isFirst = tenant !== null && maxQueued > 0 && own.queued + own.running === 0;
  if (all.queued >= maxQueued + Math.max(0, places - all.running) && !isFirst) {
    throw new LimitExceeded('SERVICE_BUSY', `${all.queued} jobs wait already`, RETRY_SEC);
  }
  if (uploadBytes > 0 && all.uploadBytes + uploadBytes > maxUploadBytes) {
    const message = 'The recordings of jobs that wait fill their place on the disk';
    throw new LimitExceeded('SERVICE_BUSY', message, RETRY_SEC);
  }
}

function assertRoomOfTenant(
  own: JobCounts,
  uploadBytes: number,
  limits: NonNullable<QueueLimits['tenant']>,
): void {
  const mayWait = limits.queuedJobs + Math.max(0, limits.concurrentJobs - own.running);
  if (own.queued >= mayWait) {
    const message = `${own.queued} jobs of this tenant wait already, which is its limit`;
    throw new LimitExceeded('QUEUE_LIMITED', message, RETRY_SEC);
  }
  if (uploadBytes > 0 && own.uploadBytes + uploadBytes > limits.storedUploadBytes) {
    const message = 'Recordings of this tenant fill its place on the disk';
    throw new LimitExceeded('QUEUE_LIMITED', message, RETRY_SEC);
  }
}
