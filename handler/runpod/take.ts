import type { ApiClient } from './api-client.ts';
import type { Timing } from './timing.ts';
import { takeUrl } from './urls.ts';

export type TakeAnswer =
  | { readonly kind: 'jobs'; readonly rawJobs: readonly unknown[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'rate-limited' }
  | { readonly kind: 'failed'; readonly status: number | undefined };

export interface TakeServices {
  readonly client: ApiClient;
  readonly timing: Timing;
  /** The take URL with its placeholders filled. */
  readonly takeBase: string;
}

export interface TakeRequest {
  readonly jobsNeeded: number;
  readonly isBusy: boolean;
}

/** The platform allows 20 MB a job; escaping and its own fields come on top. */
const MAX_JOB_BYTES = 32 * 1024 * 1024;

/** Asks for jobs once, waiting as long as the platform lets us. */
export async function takeJobs(
  { jobsNeeded, isBusy }: TakeRequest,
  { client, timing, takeBase }: TakeServices,
  signal: AbortSignal,
): Promise<TakeAnswer> {
  const options = {
    timeoutMs: timing.pollTimeoutMs,
    graceMs: timing.pollGraceMs,
    maxBytes: jobsNeeded * MAX_JOB_BYTES,
  };
  try {
    const reply = await client.poll(takeUrl(takeBase, jobsNeeded, isBusy), options, signal);
    if (reply === undefined) return { kind: 'none' };
    if (reply.status === 429) return { kind: 'rate-limited' };
    // 400 means "nothing to do" on a worker that FlashBoot has just woken.
    if (reply.status === 204 || reply.status === 400) return { kind: 'none' };
    if (reply.status !== 200) return { kind: 'failed', status: reply.status };
    return readJobs(reply.contentType, reply.body);
  } catch {
    return { kind: 'failed', status: undefined };
  }
}

function readJobs(contentType: string, body: string): TakeAnswer {
  if (!contentType.toLowerCase().startsWith('application/json')) return { kind: 'none' };
  try {
    const raw: unknown = JSON.parse(body);
    const rawJobs = Array.isArray(raw) ? raw : [raw];
    return rawJobs.length > 0 ? { kind: 'jobs', rawJobs } : { kind: 'none' };
  } catch {
    return { kind: 'none' };
  }
}
