import { type ErrorCode, SttError } from '../core/errors.ts';

/** A window that could not be recognised, alone and twice. */
export interface ChunkFailure {
  readonly error: unknown;
}

/** What no other window would survive either. */
const FATAL: ReadonlySet<ErrorCode> = new Set([
  'INPUT_INVALID',
  'LANGUAGE_UNSUPPORTED',
  'JOB_CANCELLED',
  'SHUTTING_DOWN',
]);

const isFatal = (thrown: unknown): boolean => thrown instanceof SttError && FATAL.has(thrown.code);

/** An engine that crashes again after it was restarted does not come back for this job. */
const isCrash = (thrown: unknown): boolean =>
  thrown instanceof SttError && thrown.code === 'ENGINE_CRASHED';

/**
 * Recognises a window, once more if that fails; a second failure is an answer, not an error.
 * @throws what ends the whole job: an abort, what is wrong with the job, an engine that is gone.
 */
export async function tryTwice<Result>(
  recognize: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Result | ChunkFailure> {
  try {
    return await recognize();
  } catch (thrown) {
    if (signal.aborted || isFatal(thrown)) throw thrown;
  }
  try {
    return await recognize();
  } catch (thrown) {
    if (signal.aborted || isFatal(thrown) || isCrash(thrown)) throw thrown;
    return { error: thrown };
  }
}
