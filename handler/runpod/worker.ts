import type { Config } from '../../core/config.ts';
import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { JobHandler } from '../job.ts';
import { type Connection, connect, reportUnfit } from './connection.ts';
import { type DeliveryServices, refuseJob, runAndDeliver } from './deliver-job.ts';
import { type FitnessCheck, findUnfit, selectChecks } from './fitness.ts';
import { Heartbeat } from './heartbeat.ts';
import { JobQueue } from './job-queue.ts';
import { pause } from './pause.ts';
import type { ReceivedJob } from './received-job.ts';
import { runStopPoll } from './stop-poll.ts';
import { runTakeLoop } from './take-loop.ts';
import type { Timing } from './timing.ts';
import { stopUrl } from './urls.ts';

export interface WorkerOptions {
  readonly config: Config['runpod'];
  readonly handler: JobHandler;
  readonly fitnessChecks: readonly FitnessCheck[];
  /** How many more jobs the engine would accept now; without it only the setting counts. */
  readonly capacity?: () => number;
  readonly logger: Logger;
  readonly version: string;
  /** Take no more, finish what is held. */
  readonly shutdown: AbortSignal;
  /** Hand in errors for what is held, and leave. */
  readonly hurry?: AbortSignal;
  readonly timing?: Partial<Timing>;
}

/** Runs RunPod's queue protocol until shutdown and returns the exit code of the process. */
export async function runWorker(options: WorkerOptions): Promise<number> {
  const connection = connect(options);
  if (connection === undefined) return 1;
  try {
    const { config, logger, shutdown } = options;
    const checks = selectChecks(options.fitnessChecks, config);
    const failure = await findUnfit(checks, logger, shutdown);
    if (failure !== undefined) {
      await reportUnfit(failure, connection);
      return 1;
    }
    if (shutdown.aborted) return 0;
    return await serve(options, connection);
  } finally {
    await connection.client.close();
  }
}

async function serve(options: WorkerOptions, connection: Connection): Promise<number> {
  const { config, logger, shutdown, hurry } = options;
  const heartbeat = startHeartbeat(options, connection);
  const queue = new JobQueue({
    concurrency: config.concurrency,
    onChange: (jobIds) => heartbeat?.setJobs(jobIds),
  });
  const refreshed = new AbortController();
  const stopping = AbortSignal.any([shutdown, refreshed.signal]);
  logger.info({ concurrency: config.concurrency }, 'worker started');
  try {
    await Promise.all([
      runTakeLoop(
        {
          ...connection,
          logger,
          queue,
          capacity: options.capacity ?? (() => config.concurrency),
          accept: acceptInto(queue, jobServices(options, connection), refreshed),
        },
        stopping,
      ),
      pollForStops(connection, { queue, logger }, stopping),
    ]);
    logger.info({ held: queue.size }, 'worker draining');
    const exitCode = await drain(queue, connection.timing, hurry);
    logger.info({ exitCode }, 'worker stopped');
    return exitCode;
  } finally {
    await heartbeat?.stop();
  }
}

/** A worker that is to be refreshed stops with its first result. */
function acceptInto(queue: JobQueue, services: DeliveryServices, refreshed: AbortController) {
  return (received: Exclude<ReceivedJob, { kind: 'nameless' }>): boolean => {
    if (received.kind === 'malformed') {
      return queue.accept({
        id: received.id,
        run: (signal) => refuseJob(received, services, signal),
      });
    }
    return queue.accept({
      id: received.job.id,
      run: async (signal) => {
        await runAndDeliver(received.job, services, signal);
        if (services.refreshWorker) refreshed.abort();
      },
    });
  };
}

function jobServices({ config, handler, logger, version }: WorkerOptions, connection: Connection) {
  const services: DeliveryServices = {
    ...connection,
    handler,
    logger,
    reporter: {
      hostname: config.podHostname ?? 'unknown',
      workerId: config.podId ?? 'unknown',
      version,
    },
    maxResultBytes: config.maxResultBytes,
    aggregateStream: config.aggregateStream,
    refreshWorker: config.refreshWorker,
  };
  return services;
}

function startHeartbeat(
  { config, logger }: WorkerOptions,
  { pingBase, headers, protocolVersion, timing }: Connection,
): Heartbeat | undefined {
  if (pingBase === undefined) {
    logger.warn('heartbeat off');
    return undefined;
  }
  const { pingIntervalMs: intervalMs } = config;
  const retryMs = timing.pingRetryMs;
  return new Heartbeat({ pingBase, headers, protocolVersion, intervalMs, retryMs }, logger);
}

async function pollForStops(
  connection: Connection,
  { queue, logger }: { readonly queue: JobQueue; readonly logger: Logger },
  stopping: AbortSignal,
): Promise<void> {
  const url = stopUrl(connection.takeBase);
  if (url === undefined) logger.warn('job stop channel off');
  else await runStopPoll({ ...connection, queue, logger, stopUrl: url }, stopping);
}

/** Waits for the jobs that are held; in a hurry they get an error and a short time to post it. */
async function drain(queue: JobQueue, timing: Timing, hurry?: AbortSignal): Promise<number> {
  const drained = queue.drained().then(() => true);
  if (hurry === undefined) return (await drained) ? 0 : 1;
  const hurried = new Promise<boolean>((resolve) => {
    const hasten = (): void => {
      queue.stopAll(new SttError('SHUTTING_DOWN', 'The worker was stopped before the job ended'));
      void pause(timing.hurryMs).then(() => resolve(false));
    };
    if (hurry.aborted) hasten();
    else hurry.addEventListener('abort', hasten, { once: true });
  });
  return (await Promise.race([drained, hurried])) && !hurry.aborted ? 0 : 1;
}
