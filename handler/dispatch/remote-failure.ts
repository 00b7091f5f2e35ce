import { z } from 'zod';
import { ERROR_CODES, type ErrorCode, SttError } from '../../core/errors.ts';

const MAX_MESSAGE_CHARS = 2000;
const CODES = Object.keys(ERROR_CODES) as ErrorCode[];
const RemoteError = z.object({
  code: z.enum(CODES),
  message: z.string().max(MAX_MESSAGE_CHARS),
});
/** What RunPod writes when workers stopped answering for a job, also after giving it to another. */
const LOST_BY_WORKERS = /timed out after \d+ retries/i;

/** The failure of a job that ended on the endpoint without a result. */
export function endedFailure(status: string, error: unknown): SttError {
  if (typeof error === 'string' && LOST_BY_WORKERS.test(error)) {
    return new SttError('WORKER_LOST', 'The workers that had the job stopped answering');
  }
  switch (status) {
    case 'CANCELLED':
      return new SttError('JOB_CANCELLED', 'The job was cancelled on the endpoint');
    case 'TIMED_OUT':
      return new SttError('JOB_TIMEOUT', 'The endpoint did not finish the job in the time it had');
    default:
      return failedJob(error);
  }
}

/** A worker of ours says why; what another one says stays out of messages. */
function failedJob(error: unknown): SttError {
  const parsed = RemoteError.safeParse(typeof error === 'string' ? parseJson(error) : error);
  if (parsed.success) return new SttError(parsed.data.code, parsed.data.message);
  return new SttError('INTERNAL', 'The job failed on the endpoint without a readable error');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504, 524]);

/** Whether asking again may help; a request without any answer had no status. */
export const isTransient = (httpStatus: number | undefined): boolean =>
  httpStatus === undefined || TRANSIENT_STATUSES.has(httpStatus);

/** The failure of a request to RunPod itself. */
export function requestFailure(httpStatus: number | undefined, cause?: unknown): SttError {
  const fail = (code: ErrorCode, message: string): SttError =>
    new SttError(code, message, { cause });
  switch (httpStatus) {
    case undefined:
      return fail('ENDPOINT_UNAVAILABLE', 'RunPod could not be reached');
    case 401:
    case 403:
      return fail('ENDPOINT_REFUSED', `RunPod refused the API key (HTTP ${httpStatus})`);
    case 404:
      return fail('ENDPOINT_REFUSED', 'RunPod knows no such endpoint or job (HTTP 404)');
    case 413:
      return fail('AUDIO_TOO_LARGE', 'RunPod refused the size of the job: give a URL as audio_url');
    default:
      return isTransient(httpStatus)
        ? fail('ENDPOINT_UNAVAILABLE', `RunPod answered with HTTP ${httpStatus}`)
        : fail('INTERNAL', `RunPod answered with HTTP ${httpStatus}`);
  }
}
