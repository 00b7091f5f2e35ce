/** Every failure the worker can report; `docs/errors.md` explains each. Caller's fault first. */
export const ERROR_CODES = {
  INPUT_INVALID: { httpStatus: 400, retryable: false },
  UNAUTHENTICATED: { httpStatus: 401, retryable: false },
  TENANT_FORBIDDEN: { httpStatus: 403, retryable: false },
  ORIGIN_FORBIDDEN: { httpStatus: 403, retryable: false },
  NOT_FOUND: { httpStatus: 404, retryable: false },
  METHOD_NOT_ALLOWED: { httpStatus: 405, retryable: false },
  REQUEST_TIMEOUT: { httpStatus: 408, retryable: true },
  REQUEST_TOO_LARGE: { httpStatus: 413, retryable: false },
  REQUEST_TYPE_UNSUPPORTED: { httpStatus: 415, retryable: false },
  DECODE_COST_EXCEEDED: { httpStatus: 400, retryable: false },
  IDEMPOTENCY_CONFLICT: { httpStatus: 409, retryable: false },
  RATE_LIMITED: { httpStatus: 429, retryable: true },
  CONCURRENCY_LIMITED: { httpStatus: 429, retryable: true },
  QUEUE_LIMITED: { httpStatus: 429, retryable: true },
  QUOTA_EXCEEDED: { httpStatus: 429, retryable: true },
  URL_FORBIDDEN: { httpStatus: 400, retryable: false },
  PATH_FORBIDDEN: { httpStatus: 400, retryable: false },
  AUDIO_NOT_FOUND: { httpStatus: 404, retryable: false },
  AUDIO_EMPTY: { httpStatus: 422, retryable: false },
  AUDIO_TOO_LARGE: { httpStatus: 413, retryable: false },
  AUDIO_TOO_LONG: { httpStatus: 413, retryable: false },
  AUDIO_UNSUPPORTED: { httpStatus: 415, retryable: false },
  AUDIO_UNDECODABLE: { httpStatus: 422, retryable: false },
  AUDIO_WITHOUT_SOUND: { httpStatus: 422, retryable: false },
  LANGUAGE_UNSUPPORTED: { httpStatus: 422, retryable: false },
  JOB_CANCELLED: { httpStatus: 499, retryable: false },
  AUDIO_FETCH_REFUSED: { httpStatus: 424, retryable: false },
  AUDIO_FETCH_FAILED: { httpStatus: 424, retryable: true },
  AUDIO_FETCH_TIMEOUT: { httpStatus: 424, retryable: true },
  RESULT_TOO_LARGE: { httpStatus: 413, retryable: false },
  FFMPEG_MISSING: { httpStatus: 500, retryable: false },
  DECODE_TIMEOUT: { httpStatus: 422, retryable: false },
  DISK_FULL: { httpStatus: 507, retryable: true },
  MODEL_NOT_FOUND: { httpStatus: 500, retryable: false },
  MODEL_ACCESS_DENIED: { httpStatus: 500, retryable: false },
  MODEL_CACHE_READ_ONLY: { httpStatus: 500, retryable: false },
  MODEL_DOWNLOAD_FAILED: { httpStatus: 503, retryable: true },
  MODEL_INVALID: { httpStatus: 500, retryable: false },
  MODEL_LOAD_FAILED: { httpStatus: 503, retryable: true },
  DEVICE_UNAVAILABLE: { httpStatus: 503, retryable: true },
  GPU_OUT_OF_MEMORY: { httpStatus: 503, retryable: true },
  ENGINE_CRASHED: { httpStatus: 503, retryable: true },
  MODEL_LOADING: { httpStatus: 503, retryable: true },
  SERVICE_BUSY: { httpStatus: 503, retryable: true },
  ENDPOINT_UNAVAILABLE: { httpStatus: 503, retryable: true },
  ENDPOINT_REFUSED: { httpStatus: 500, retryable: false },
  OUTCOME_UNKNOWN: { httpStatus: 502, retryable: true },
  BUDGET_EXCEEDED: { httpStatus: 503, retryable: true },
  QUEUE_TIMEOUT: { httpStatus: 503, retryable: true },
  JOB_TIMEOUT: { httpStatus: 504, retryable: false },
  STORE_UNAVAILABLE: { httpStatus: 503, retryable: true },
  WORKER_LOST: { httpStatus: 503, retryable: true },
  HANDOVER_FAILED: { httpStatus: 503, retryable: true },
  SHUTTING_DOWN: { httpStatus: 503, retryable: true },
  INTERNAL: { httpStatus: 500, retryable: false },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** The error object of results, HTTP bodies and socket events. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

/**
 * The only error class that may cross the handler boundary.
 * Messages never contain input values (URLs, transcripts): they end up in logs.
 */
export class SttError extends Error {
  override readonly name = 'SttError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  get httpStatus(): number {
    return ERROR_CODES[this.code].httpStatus;
  }

  /** Wraps anything thrown; an unknown failure becomes INTERNAL and keeps its cause. */
  static from(thrown: unknown): SttError {
    if (thrown instanceof SttError) return thrown;
    if (thrown instanceof Error && thrown.name === 'AbortError') {
      return new SttError('JOB_CANCELLED', 'The job was cancelled', { cause: thrown });
    }
    return new SttError('INTERNAL', 'Unexpected failure', { cause: thrown });
  }

  toJSON(): WireError {
    return { code: this.code, message: this.message, retryable: this.retryable };
  }
}
