import type { FastifyInstance } from 'fastify';
import type { Config } from '../../core/config.ts';
import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { type JobsHome, openJobs } from '../jobs/start-jobs.ts';
import { pause } from '../runpod/pause.ts';
import type { KeyRing } from '../tenants/key-ring.ts';
import { readKeyRing } from '../tenants/read-keys.ts';
import { assertWebhookSecrets } from '../webhooks/webhook-secrets.ts';
import { createService, type Service, type ServiceParts } from './create-service.ts';
import { EngineSlot, type ServiceEngine } from './engine-slot.ts';
import { hostOf, listen } from './listen.ts';
import { WebhookCounter } from './webhook-counter.ts';

/** For answers to what was aborted. */
const ABORT_GRACE_MS = 2000;

export interface RunServiceOptions extends Pick<ServiceParts, 'modules'> {
  readonly config: Pick<Config, 'service' | 'audio' | 'jobs' | 'maxDecodeCost'>;
  readonly logger: Logger;
  readonly version: string;
  /** Finds and loads what runs the jobs; meanwhile the service answers that it is loading. */
  readonly startEngine: (
    signal: AbortSignal,
    home: Pick<JobsHome, 'store'>,
  ) => Promise<ServiceEngine>;
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
  assertWebhookSecrets(options.config.jobs.webhookSecrets);
  const webhooks = new WebhookCounter();
  const jobs = await openServiceJobs(options, keys, webhooks);
  const stop = stoppingOnce(jobs);
  try {
    return await serve(options, { keys, jobs, webhooks, stop });
  } finally {
    await stop(AbortSignal.abort()); // of what went well it has ended before
    options.logger.info('service stopped');
  }
}

interface Home {
  readonly keys: KeyRing | undefined;
  readonly jobs: JobsHome;
  readonly webhooks: WebhookCounter;
  readonly stop: JobsHome['stop'];
}

async function serve(options: RunServiceOptions, home: Home): Promise<number> {
  const { logger, config, shutdown, failed } = options;
  const { keys, jobs } = home;
  const host = hostOf(config.service, keys !== undefined);
  const slot = new EngineSlot();
  const service = await createService({
    ...options,
    keys,
    slot,
    ledger: jobs.ledger,
    asyncJobs: jobs.jobs,
  });
  home.webhooks.register(service.context.metrics.registry);
  const stopping = AbortSignal.any([shutdown, failed]);
  try {
    const port = await listen(service.app, host, config.service.port);
    logger.info({ host, port, keys: keys?.size ?? 0 }, 'service listening');
    if (keys === undefined) logger.warn({ host }, 'service open to everyone who reaches it');
    runJobs(service, jobs);
    const loaded = loadEngine(slot, options, { stopping, jobs });
    await Promise.race([
      aborted(stopping),
      loaded.then((isLoaded) => isLoaded && aborted(stopping)),
    ]);
    if (failed.aborted) slot.fail();
    await drain(service, options, home.stop);
    await loaded;
    return slot.phase === 'failed' ? 1 : 0;
  } finally {
    await closeServer(service.app);
    await slot.engine?.close();
  }
}

/** Accepted jobs are taken once there is an engine: one that cannot be loaded costs them nothing. */
function runJobs({ context }: Service, jobs: JobsHome): void {
  const { executor, config, admission, slot } = context;
  jobs.start({
    executor,
    concurrency: config.service.maxConcurrentJobs,
    mayRun: (tenant, running) =>
      admission.mayRun(tenant, running) && (slot.engine?.mayBegin?.() ?? true),
    ready: (signal) => slot.ready(signal),
    repeatsFailures: () => slot.engine?.repeatsFailures ?? false,
  });
}

/** Whoever stops it first says how long it may take. */
function stoppingOnce(jobs: JobsHome): JobsHome['stop'] {
  let stopping: Promise<void> | undefined;
  return (hurry) => {
    stopping ??= jobs.stop(hurry);
    return stopping;
  };
}

/** With keys every tenant has its own limits and secrets; without, there is one owner. */
function openServiceJobs(
  { config, logger }: RunServiceOptions,
  keys: KeyRing | undefined,
  webhooks: WebhookCounter,
): Promise<JobsHome> {
  const { maxQueuedJobs, maxConcurrentJobs, maxStoredUploadBytes } = config.service;
  return openJobs({
    config: config.jobs,
    limitsOf: (tenant) => ({
      maxQueued: maxQueuedJobs,
      places: maxConcurrentJobs,
      maxUploadBytes: maxStoredUploadBytes,
      tenant: (tenant !== null && keys?.limitsOf(tenant)) || null,
    }),
    logger,
    policy: config.audio,
    onDelivery: (outcome) => webhooks.count(outcome),
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
  { stopping, jobs }: { readonly stopping: AbortSignal; readonly jobs: JobsHome },
): Promise<boolean> {
  try {
    const { model, device } = await slot.load(() => startEngine(stopping, jobs));
    logger.info({ model, device }, 'service ready');
    return true;
  } catch (thrown) {
    if (!stopping.aborted) logger.error({ err: SttError.from(thrown) }, 'engine not loaded');
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
  stopJobs: JobsHome['stop'],
): Promise<void> {
  slot.drain();
  logger.info({ held: work.size }, 'service draining');
  const timeUp = AbortSignal.any([hurry, AbortSignal.timeout(config.service.drainTimeoutMs)]);
  const answered = work.idle();
  const stopped = stopJobs(timeUp);
  await Promise.race([Promise.all([answered, stopped]), aborted(timeUp)]);
  work.abortAll();
  await Promise.race([answered, pause(ABORT_GRACE_MS)]);
  await stopped;
}
