import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { ApiClient } from './api-client.ts';
import type { JobQueue } from './job-queue.ts';
import { pause } from './pause.ts';
import type { Timing } from './timing.ts';

export interface StopPollServices {
  readonly client: ApiClient;
  readonly timing: Timing;
  readonly logger: Logger;
  readonly queue: JobQueue;
  readonly stopUrl: string;
}

const MAX_REPLY_BYTES = 1024 * 1024;

/** Hears from the platform which jobs to cancel: `/cancel`, `ttl` and `executionTimeout`. */
export async function runStopPoll(
  services: StopPollServices,
  stopping: AbortSignal,
): Promise<void> {
  const { timing } = services;
  while (!stopping.aborted) {
    const startedAt = performance.now();
    const answer = await pollOnce(services, stopping);
    if (answer === 'rate-limited') await pause(timing.rateLimitMs, stopping);
    else if (answer === 'failed') await pause(timing.stopFloorMs, stopping);
    else if (answer.length === 0) {
      await pause(timing.stopFloorMs - (performance.now() - startedAt), stopping);
    }
    if (Array.isArray(answer)) stopJobs(answer, services);
  }
}

function stopJobs(jobIds: readonly string[], { queue, logger }: StopPollServices): void {
  for (const jobId of jobIds) {
    const isHeld = queue.stop(jobId, new SttError('JOB_CANCELLED', 'The job was cancelled'));
    logger.info({ requestId: jobId, isHeld }, 'job stop requested');
  }
}

async function pollOnce(
  { client, timing, logger, stopUrl }: StopPollServices,
  stopping: AbortSignal,
): Promise<string[] | 'rate-limited' | 'failed'> {
  const options = {
    timeoutMs: timing.pollTimeoutMs,
    graceMs: 0,
    maxBytes: MAX_REPLY_BYTES,
  };
  try {
    const reply = await client.poll(stopUrl, options, stopping);
    if (reply === undefined || reply.status === 204) return [];
    if (reply.status === 429) return 'rate-limited';
    if (reply.status === 200) return readJobIds(JSON.parse(reply.body), logger);
    logger.warn({ status: reply.status }, 'stop poll failed');
    return 'failed';
  } catch (thrown) {
    logger.warn({ err: thrown }, 'stop poll failed');
    return 'failed';
  }
}

function readJobIds(raw: unknown, logger: Logger): string[] {
  const list: unknown =
    typeof raw === 'object' && raw !== null && 'jobsToStop' in raw ? raw.jobsToStop : undefined;
  if (!Array.isArray(list)) {
    logger.warn('stop message not understood');
    return [];
  }
  return list.filter((id): id is string => typeof id === 'string');
}
