import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { ApiClient } from './api-client.ts';
import { pause } from './pause.ts';
import { encodeBody, failureBody, type ResultBody } from './result-body.ts';
import type { Timing } from './timing.ts';

export interface PostServices {
  readonly client: ApiClient;
  readonly timing: Timing;
  readonly maxResultBytes: number;
}

/** One job's way back. */
export interface PostTarget {
  readonly jobId: string;
  readonly url: string;
  readonly logger: Logger;
}

type PostOutcome =
  | { readonly kind: 'posted' }
  | { readonly kind: 'rejected'; readonly status: number }
  | { readonly kind: 'lost' };

/**
 * Posts a job's last word. A result that cannot be written, or that the platform rejects,
 * becomes a small error, so that the job does not hang until it times out.
 * The signal ends the retries, not an attempt under way.
 */
export async function postResult(
  result: ResultBody,
  target: PostTarget,
  services: PostServices,
  signal: AbortSignal,
): Promise<boolean> {
  const body = encodeOrFail(result, target, services);
  let outcome = await postWithRetries(body, target, services, signal);
  if (outcome.kind === 'rejected' && !signal.aborted) {
    target.logger.error({ status: outcome.status }, 'job result rejected');
    const refusal = new SttError('INTERNAL', `Result rejected: HTTP ${outcome.status}`);
    outcome = await postWithRetries(stringifyFailure(refusal, result), target, services, signal);
  }
  if (outcome.kind !== 'posted') target.logger.error('job result lost');
  return outcome.kind === 'posted';
}

/**
 * Posts one chunk of a stream; one that gets lost is logged and the stream goes on.
 * @throws {SttError} INTERNAL or RESULT_TOO_LARGE when the chunk cannot be sent at all.
 */
export async function postChunk(
  chunk: unknown,
  target: PostTarget,
  services: PostServices,
  signal: AbortSignal,
): Promise<void> {
  const body = encodeBody({ output: chunk ?? null }, services.maxResultBytes);
  const outcome = await postWithRetries(body, target, services, signal);
  if (outcome.kind !== 'posted') target.logger.error('stream chunk lost');
}

function encodeOrFail(result: ResultBody, target: PostTarget, services: PostServices): string {
  try {
    return encodeBody(result, services.maxResultBytes);
  } catch (thrown) {
    const error = SttError.from(thrown);
    target.logger.error({ err: error }, 'job result refused');
    return stringifyFailure(error, result);
  }
}

const stringifyFailure = (error: SttError, { stopPod }: ResultBody): string =>
  JSON.stringify({ ...failureBody(error), ...(stopPod && { stopPod }) });

async function postWithRetries(
  body: string,
  { jobId, url, logger }: PostTarget,
  { client, timing }: PostServices,
  signal: AbortSignal,
): Promise<PostOutcome> {
  const { postRetryMs, postTimeoutMs: timeoutMs } = timing;
  for (let attempt = 0; ; attempt += 1) {
    const status = await client.post(url, { body, jobId, timeoutMs }).catch(() => undefined);
    if (status !== undefined && status >= 200 && status < 300) return { kind: 'posted' };
    if (status !== undefined && !mayRetry(status)) return { kind: 'rejected', status };
    const waitMs = postRetryMs[attempt];
    if (waitMs === undefined || signal.aborted) return { kind: 'lost' };
    logger.warn({ status, attempt, waitMs }, 'post failed');
    await pause(waitMs, signal);
    if (signal.aborted) return { kind: 'lost' };
  }
}

const mayRetry = (status: number): boolean => status >= 500 || status === 429;
