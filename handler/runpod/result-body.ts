import { SttError } from '../../core/errors.ts';

/** The document that RunPod stores for a job. `stopPod` asks for this worker to be replaced. */
export interface ResultBody {
  readonly output?: unknown;
  readonly error?: unknown;
  readonly stopPod?: true;
}

/** Who reports a failure; the platform shows it beside the message. */
export interface Reporter {
  readonly hostname: string;
  readonly workerId: string;
  readonly version: string;
}

/**
 * Shapes what a handler returned. `error` and `refresh_worker` mean something at the top level of
 * an object only, and leave `output`; a falsy `error` is none.
 */
export function outputBody(output: unknown): ResultBody {
  if (!isPlainObject(output)) return { output: output ?? null };
  const { error, refresh_worker: refresh, ...rest } = output;
  return {
    ...(Object.keys(rest).length > 0 && { output: rest }),
    ...(Boolean(error) && { error }),
    ...(Boolean(refresh) && { stopPod: true }),
  };
}

/** A thrown error, as the JSON text that RunPod's console and SDKs take apart. */
export function thrownBody(thrown: unknown, reporter: Reporter): ResultBody {
  const error = asError(thrown);
  return {
    error: JSON.stringify({
      error_type: error.name,
      error_message: error.message,
      error_traceback: error.stack ?? '',
      hostname: reporter.hostname,
      worker_id: reporter.workerId,
      runpod_version: reporter.version,
    }),
  };
}

export const failureBody = (error: SttError): ResultBody => ({ error: error.toJSON() });

/**
 * The JSON text of a body.
 * @throws {SttError} INTERNAL when it has none, RESULT_TOO_LARGE above the limit.
 */
export function encodeBody(body: object, maxBytes: number): string {
  const text = stringify(body);
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes <= maxBytes) return text;
  throw new SttError('RESULT_TOO_LARGE', `Result has ${sizeBytes} bytes, allowed are ${maxBytes}`);
}

/** Non-errors may be thrown too; they get the shape of one. */
export const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown));

function stringify(body: object): string {
  try {
    return JSON.stringify(body);
  } catch (thrown) {
    throw new SttError('INTERNAL', 'The output cannot be written as JSON', { cause: thrown });
  }
}

/** Things with a JSON form of their own (dates) are values, not objects with keys. */
const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !('toJSON' in value && typeof value.toJSON === 'function');
