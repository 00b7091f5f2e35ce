import { SttError } from '../../core/errors.ts';
import type { JobAnswer } from './endpoint.ts';
import { endedFailure } from './remote-failure.ts';
import { type DispatchTarget, type RemoteWatcher, runRemotely } from './remote-job.ts';

/**
 * Runs a job on a RunPod endpoint and returns its output. An abort also cancels it there.
 * @throws {SttError} what the worker reported, and what `runRemotely` throws.
 */
export async function submitJob(
  input: unknown,
  target: DispatchTarget,
  watcher: RemoteWatcher,
): Promise<object> {
  return outputOf(await runRemotely(input, target, watcher));
}

/**
 * The output of a job that has ended.
 * @throws {SttError} what the worker reported, WORKER_LOST, JOB_TIMEOUT, JOB_CANCELLED, INTERNAL
 */
export function outputOf({ status, output, error }: JobAnswer): object {
  if (status !== 'COMPLETED') throw endedFailure(status, error);
  if (typeof output === 'object' && output !== null) return output;
  throw new SttError('INTERNAL', 'The endpoint finished the job without a result');
}
