import type { ErrorCode } from '../../core/errors.ts';
import type { JobOutput } from '../run-job.ts';
import type { Settlement } from '../store/job-store.ts';

/** Failures of whatever ran the job, not of the job. */
const RUN_AGAIN: ReadonlySet<ErrorCode> = new Set([
  'SHUTTING_DOWN',
  'ENGINE_CRASHED',
  'MODEL_LOADING',
  'ENDPOINT_UNAVAILABLE',
  'GPU_OUT_OF_MEMORY',
  'DISK_FULL',
]);
/** Nothing has run: true also where the executor repeats what has. */
const NEVER_RAN: ReadonlySet<ErrorCode> = new Set(['MODEL_LOADING', 'ENDPOINT_UNAVAILABLE']);
/** The job has not begun, and waits until it may: that is no attempt. */
const NOT_BEGUN: ReadonlySet<ErrorCode> = new Set(['QUOTA_EXCEEDED', 'BUDGET_EXCEEDED']);

export type Aftermath =
  | { readonly kind: 'ended'; readonly state: Settlement['state'] }
  | {
      readonly kind: 'again';
      readonly code: ErrorCode;
      readonly isCounted: boolean;
      readonly isAtOnce: boolean;
    };

interface RunState {
  readonly maxAttempts: number;
  readonly isStopping: boolean;
  /** The executor has tried again by itself what another try may mend, and each costs. */
  readonly hasRepeated: boolean;
  /** The endpoint has the job: another attempt follows it there and sends nothing. */
  readonly goesOnElsewhere: boolean;
}

/** What becomes of a job after a run with that output. */
export function aftermathOf(
  output: JobOutput,
  attempts: number,
  { maxAttempts, isStopping, hasRepeated, goesOnElsewhere }: RunState,
): Aftermath {
  if (!('error' in output)) return { kind: 'ended', state: 'completed' };
  const { code } = output.error;
  if (code === 'SHUTTING_DOWN' && isStopping) {
    return { kind: 'again', code, isCounted: false, isAtOnce: true };
  }
  if (NOT_BEGUN.has(code)) return { kind: 'again', code, isCounted: false, isAtOnce: false };
  const isLostFromView = code === 'OUTCOME_UNKNOWN' && goesOnElsewhere;
  const isRepeated = (hasRepeated ? NEVER_RAN : RUN_AGAIN).has(code);
  if ((isRepeated || isLostFromView) && attempts < maxAttempts) {
    return { kind: 'again', code, isCounted: true, isAtOnce: false };
  }
  return { kind: 'ended', state: code === 'JOB_CANCELLED' ? 'cancelled' : 'failed' };
}
