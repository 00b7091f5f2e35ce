import { type ErrorCode, SttError } from '../../core/errors.ts';

type LimitCode = Extract<
  ErrorCode,
  | 'RATE_LIMITED'
  | 'CONCURRENCY_LIMITED'
  | 'QUEUE_LIMITED'
  | 'QUOTA_EXCEEDED'
  | 'BUDGET_EXCEEDED'
  | 'SERVICE_BUSY'
  | 'MODEL_LOADING'
>;

/** A refusal that says when to come back. */
export class LimitExceeded extends SttError {
  readonly retryAfterSec: number;

  constructor(code: LimitCode, message: string, retryAfterSec: number) {
    super(code, message);
    this.retryAfterSec = retryAfterSec;
  }
}
