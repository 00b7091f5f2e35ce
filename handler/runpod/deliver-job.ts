import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { Job, JobHandler } from '../job.ts';
import { type PostServices, type PostTarget, postChunk, postResult } from './post-result.ts';
import { ProgressChannel } from './progress.ts';
import {
  failureBody,
  outputBody,
  type Reporter,
  type ResultBody,
  thrownBody,
} from './result-body.ts';
import { isAsyncIterable, streamOutput } from './stream-output.ts';
import { jobUrl } from './urls.ts';

export interface DeliveryServices extends PostServices {
  readonly handler: JobHandler;
  readonly logger: Logger;
  readonly reporter: Reporter;
  /** Post URLs that still contain `$ID`. */
  readonly outputTemplate: string;
  readonly streamTemplate: string;
  readonly aggregateStream: boolean;
  readonly refreshWorker: boolean;
}

interface Outcome {
  readonly body: ResultBody;
  readonly isStream: boolean;
}

/** Runs one job and delivers its result; never throws. A stopped job delivers nothing. */
export async function runAndDeliver(
  job: Job,
  services: DeliveryServices,
  signal: AbortSignal,
): Promise<void> {
  const logger = jobLogger(job, services);
  const startedAt = performance.now();
  const progress = progressOf(job, services);
  logger.debug('job started');
  const outcome = await Promise.race([
    abandoned(signal),
    settle(job, { services, logger, progress, signal }),
  ]);
  await progress.close();
  if (signal.aborted && !isAbandoned(signal)) {
    logger.info('job stopped');
    return;
  }
  await deliver(job.id, outcome, { ...services, logger }, signal);
  logger.debug({ elapsedMs: Math.round(performance.now() - startedAt) }, 'job finished');
}

/** Answers a job that cannot be run. */
export async function refuseJob(
  { id, problem }: { readonly id: string; readonly problem: string },
  services: DeliveryServices,
  signal: AbortSignal,
): Promise<void> {
  const logger = services.logger.child({ requestId: id });
  logger.error('job refused');
  const body = failureBody(new SttError('INPUT_INVALID', problem));
  await deliver(id, { body, isStream: false }, { ...services, logger }, signal);
}

async function deliver(
  jobId: string,
  { body, isStream }: Outcome,
  services: DeliveryServices,
  signal: AbortSignal,
): Promise<void> {
  const url = jobUrl(services.outputTemplate, jobId, isStream);
  const result: ResultBody = services.refreshWorker ? { ...body, stopPod: true } : body;
  await postResult(result, { jobId, url, logger: services.logger }, services, signal);
}

interface Settling {
  readonly services: DeliveryServices;
  readonly logger: Logger;
  readonly progress: ProgressChannel;
  readonly signal: AbortSignal;
}

async function settle(
  job: Job,
  { services, logger, progress, signal }: Settling,
): Promise<Outcome> {
  try {
    signal.throwIfAborted();
    const context = { signal, logger, onProgress: progress.update.bind(progress) };
    const output = services.handler(job, context);
    if (!isAsyncIterable(output)) return { body: outputBody(await output), isStream: false };
    const url = jobUrl(services.streamTemplate, job.id, false);
    const target: PostTarget = { jobId: job.id, url, logger };
    const options = {
      aggregate: services.aggregateStream,
      postChunk: (chunk: unknown) => postChunk(chunk, target, services, signal),
    };
    return { body: await streamOutput(output, options, signal), isStream: true };
  } catch (thrown) {
    if (!signal.aborted) logger.error({ err: thrown }, 'job failed');
    return { body: thrownBody(thrown, services.reporter), isStream: false };
  }
}

function progressOf(
  job: Job,
  { client, timing, outputTemplate }: DeliveryServices,
): ProgressChannel {
  const url = jobUrl(outputTemplate, job.id, false);
  return new ProgressChannel({
    intervalMs: timing.progressIntervalMs,
    closeMs: timing.progressCloseMs,
    post: (progress, signal) => {
      const body = JSON.stringify({ status: 'IN_PROGRESS', output: progress });
      return client.post(url, { body, jobId: job.id, timeoutMs: timing.postTimeoutMs, signal });
    },
  });
}

function jobLogger({ id, batchId }: Job, { logger }: DeliveryServices): Logger {
  return logger.child({ requestId: id, ...(typeof batchId === 'string' && { batchId }) });
}

/** When the worker must leave in a hurry, the caller is told instead of left to wait. */
function abandoned(signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    const answer = (): void => {
      if (!isAbandoned(signal)) return;
      resolve({ body: failureBody(signal.reason), isStream: false });
    };
    if (signal.aborted) answer();
    else signal.addEventListener('abort', answer, { once: true });
  });
}

const isAbandoned = (signal: AbortSignal): signal is AbortSignal & { readonly reason: SttError } =>
  signal.reason instanceof SttError && signal.reason.code === 'SHUTTING_DOWN';
