import type { Logger } from '../../core/logger.ts';
import type { JobQueue } from './job-queue.ts';
import { pause } from './pause.ts';
import { type ReceivedJob, readJob } from './received-job.ts';
import { type TakeAnswer, type TakeServices, takeJobs } from './take.ts';
import type { Timing } from './timing.ts';

export interface TakeLoopServices extends TakeServices {
  readonly logger: Logger;
  readonly queue: JobQueue;
  /** How many more jobs the engine would accept. */
  capacity(): number;
  /** Puts a job or its refusal into the queue; false when it is held already. */
  accept(received: Exclude<ReceivedJob, { kind: 'nameless' }>): boolean;
}

/** Takes jobs as long as there is room for them; a job that has arrived is accepted even while stopping. */
export async function runTakeLoop(
  services: TakeLoopServices,
  stopping: AbortSignal,
): Promise<void> {
  const { queue, timing, logger } = services;
  let failures = 0;
  while (!stopping.aborted) {
    const jobsNeeded = Math.floor(Math.min(queue.free, services.capacity()));
    if (!(jobsNeeded > 0)) {
      await waitForRoom(services, stopping);
      continue;
    }
    const startedAt = performance.now();
    const answer = await takeJobs({ jobsNeeded, isBusy: queue.size > 0 }, services, stopping);
    const accepted = answer.kind === 'jobs' ? acceptAll(answer.rawJobs, services) : 0;
    failures = answer.kind === 'failed' ? failures + 1 : 0;
    if (accepted > 0) continue;
    const elapsedMs = performance.now() - startedAt;
    const waitMs = waitBeforeRetryMs(answer, { failures, elapsedMs, timing });
    if (answer.kind === 'failed') {
      logger.warn({ status: answer.status, failures, waitMs }, 'take failed');
    }
    await pause(waitMs, stopping);
  }
}

function acceptAll(
  rawJobs: readonly unknown[],
  { accept, logger, queue }: TakeLoopServices,
): number {
  let accepted = 0;
  for (const raw of rawJobs) {
    const received = readJob(raw);
    if (received.kind === 'nameless') logger.error('job without id dropped');
    else if (accept(received)) accepted += 1;
    else logger.warn('job held already');
  }
  logger.info({ accepted, held: queue.size }, 'jobs taken');
  return accepted;
}

/** A slot becomes free when a job leaves; an engine without room has to be asked again. */
async function waitForRoom(
  { queue, timing }: TakeLoopServices,
  stopping: AbortSignal,
): Promise<void> {
  const waited = new AbortController();
  const wake = (): void => waited.abort();
  stopping.addEventListener('abort', wake, { once: true });
  const events: Promise<void>[] = [];
  if (queue.size > 0) events.push(queue.released(waited.signal));
  if (queue.free > 0) events.push(pause(timing.capacityPollMs, waited.signal));
  await Promise.race(events);
  wake();
  stopping.removeEventListener('abort', wake);
}

interface Retry {
  readonly failures: number;
  readonly elapsedMs: number;
  readonly timing: Timing;
}

/** Exponential with jitter after failures; a floor after an answer that came back at once. */
function waitBeforeRetryMs(answer: TakeAnswer, { failures, elapsedMs, timing }: Retry): number {
  switch (answer.kind) {
    case 'rate-limited':
      return timing.rateLimitMs;
    case 'failed': {
      const doubledMs = timing.takeBackoffFirstMs * 2 ** (failures - 1);
      return Math.min(doubledMs, timing.takeBackoffMaxMs) * (0.5 + timing.random() / 2);
    }
    case 'jobs':
    case 'none':
      return timing.takeFloorMs - elapsedMs;
  }
}
