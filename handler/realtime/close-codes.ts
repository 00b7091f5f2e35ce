import type { ErrorCode } from '../../core/errors.ts';

/** Why a socket is closed; `docs/realtime.md` explains each. */
export const CLOSE_CODES = {
  ended: 1000,
  internal: 1011,
  restart: 1012,
  busy: 1013,
  badMessage: 4400,
  unauthenticated: 4401,
  forbidden: 4403,
  notFound: 4404,
  idle: 4408,
  replaced: 4409,
  tooLong: 4413,
  limited: 4429,
} as const;

const BY_ERROR: Partial<Record<ErrorCode, number>> = {
  INPUT_INVALID: CLOSE_CODES.badMessage,
  LANGUAGE_UNSUPPORTED: CLOSE_CODES.badMessage,
  AUDIO_UNDECODABLE: CLOSE_CODES.badMessage,
  UNAUTHENTICATED: CLOSE_CODES.unauthenticated,
  TENANT_FORBIDDEN: CLOSE_CODES.forbidden,
  NOT_FOUND: CLOSE_CODES.notFound,
  REQUEST_TIMEOUT: CLOSE_CODES.idle,
  AUDIO_TOO_LONG: CLOSE_CODES.tooLong,
  RATE_LIMITED: CLOSE_CODES.limited,
  CONCURRENCY_LIMITED: CLOSE_CODES.limited,
  QUEUE_LIMITED: CLOSE_CODES.limited,
  QUOTA_EXCEEDED: CLOSE_CODES.limited,
  BUDGET_EXCEEDED: CLOSE_CODES.limited,
  MODEL_LOADING: CLOSE_CODES.busy,
  SERVICE_BUSY: CLOSE_CODES.busy,
  SHUTTING_DOWN: CLOSE_CODES.restart,
};

/** The code of a socket that an error ends. */
export const closeCodeOf = (code: ErrorCode): number => BY_ERROR[code] ?? CLOSE_CODES.internal;
