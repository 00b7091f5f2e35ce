import type { FastifyInstance } from 'fastify';
import type { Config } from '../../core/config.ts';
import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { type JobsHome, openJobs } from '../jobs/start-jobs.ts';
import { pause } from '../runpod/pause.ts';
import type { KeyRing } from '../tenants/key-ring.ts';
import { readKeyRing } from '../tenants/read-keys.ts';
import { createService, type Service, type ServiceParts } from './create-service.ts';
import { EngineSlot, type ServiceEngine } from './engine-slot.ts';
import { hostOf, listen } from './listen.ts';

/** For answers to what was aborted. */
const ABORT_GRACE_MS = 2000;

export interface RunServiceOptions extends Pick<ServiceParts, 'modules'> {
  readonly config: Pick<Config, 'service' | 'audio' | 'jobs'>;
  readonly logger: Logger;
  readonly version: string;
  /** Finds and loads what runs the jobs; meanwhile the service answers that it is loading. */
  readonly startEngine: (signal: AbortSignal) => Promise<ServiceEngine>;
  /** Aborted when the engine has died for good. */
  readonly failed: AbortSignal;
  /** Take no more jobs, finish those that are held. */
  readonly shutdown: AbortSignal;
  /** Give up what is held. */
  readonly hurry: AbortSignal;
}

/** Serves until shutdown and returns the exit code of the process. */
export async function runService(options: RunServiceOptions): Promise<number> {
  const keys = await readKeyRing(options.config.service);
  const jobs = stoppedOnce(await openServiceJobs(options, keys));
  try {
    return await serve(options, keys, jobs);
  } finally {
    await jobs.stop(options.hurry);
    options.logger.info('service stopped');
  }
}

async function serve(
  options: RunServiceOptions,
  keys: KeyRing | undefined,
  jobs: JobsHome,
): Promise<number> {
  const { logger, config, shutdown, failed } = options;
  const { maxConcurrentJobs, port } = config.service;
  const host = hostOf(config.service, keys !== undefined);
  const slot = new EngineSlot();
  const service = await createService({
    ...options,
    keys,
    slot,
    ledger: jobs.ledger,
    createAsyncJobs: (executor) => jobs.start(executor, maxConcurrentJobs),
  });
  const stopping = AbortSignal.any([shutdown, failed]);
  try {
    const listening = await listen(service.app, host, port);
    logger.info({ host, port: listening, keys: keys?.size ?? 0 }, 'service listening');
    if (keys === undefined) logger.warn({ host }, 'service open to everyone who reaches it');
    const loaded = loadEngine(slot, options, stopping);
    await Promise.race([
      aborted(stopping),
      loaded.then((isLoaded) => isLoaded && aborted(stopping)),
    ]);
    if (failed.aborted) slot.fail();
    await drain(service, options, jobs);
    await loaded;
    return slot.phase === 'failed' ? 1 : 0;
  } finally {
    await closeServer(service.app);
    await slot.engine?.close();
  }
}

/** Whoever stops it first says how long it may take. */
function stoppedOnce(jobs: JobsHome): JobsHome {
  let stopping: Promise<void> | undefined;
  return {
    ledger: jobs.ledger,
    start: (executor, concurrency) => jobs.start(executor, concurrency),
    stop: (hurry) => {
      stopping ??= jobs.stop(hurry);
      return stopping;
    },
  };
}

/** With keys every tenant has its own secrets for webhooks; without, there is one owner. */
function openServiceJobs(
  { config, logger }: RunServiceOptions,
  keys: KeyRing | undefined,
): Promise<JobsHome> {
  return openJobs({
    config: config.jobs,
    maxQueued: config.service.maxQueuedJobs,
    logger,
    policy: config.audio,
    secretsOf: (tenant) =>
      keys === undefined || tenant === null
        ? config.jobs.webhookSecrets
        : keys.webhookSecretsOf(tenant),
  });
}

/** False, and told to the log, when it cannot be loaded: then there is nothing to wait for. */
async function loadEngine(
  slot: EngineSlot,
  { startEngine, logger }: RunServiceOptions,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { model, device } = await slot.load(() => startEngine(signal));
    logger.info({ model, device }, 'service ready');
    return true;
  } catch (thrown) {
    if (!signal.aborted) logger.error({ err: SttError.from(thrown) }, 'engine not loaded');
    return false;
  }
}

/** Answers that are being written get a moment; connections that are only kept open get none. */
async function closeServer(app: FastifyInstance): Promise<void> {
  const closed = app.close();
  await Promise.race([closed, pause(ABORT_GRACE_MS)]);
  app.server.closeAllConnections();
  await closed;
}

const aborted = (signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(true);
    signal.addEventListener('abort', () => resolve(true), { once: true });
  });

/** New jobs are refused; those at work get their time, then an error or another process. */
async function drain(
  { context: { slot, work } }: Service,
  { config, logger, hurry }: RunServiceOptions,
  jobs: JobsHome,
): Promise<void> {
  slot.drain();
  logger.info({ held: work.size }, 'service draining');
  const timeUp = AbortSignal.any([hurry, AbortSignal.timeout(config.service.drainTimeoutMs)]);
  const answered = work.idle();
  const stopped = jobs.stop(timeUp);
  await Promise.race([answered, aborted(timeUp)]);
  work.abortAll();
  await Promise.race([answered, pause(ABORT_GRACE_MS)]);
  await stopped;
}
