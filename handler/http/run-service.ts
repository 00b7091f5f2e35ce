import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../../core/config.ts';
import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { pause } from '../runpod/pause.ts';
import { readKeyRing } from '../tenants/read-keys.ts';
import { createService, type Service, type ServiceParts } from './create-service.ts';
import { EngineSlot, type ServiceEngine } from './engine-slot.ts';

const DEFAULT_PORT = 8001;
const LOOPBACK = '127.0.0.1';
const EVERY_ADDRESS = '0.0.0.0';
/** For answers to what was aborted. */
const ABORT_GRACE_MS = 2000;

export interface RunServiceOptions
  extends Pick<ServiceParts, 'config' | 'createAsyncJobs' | 'ledger' | 'modules'> {
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
  const { logger, config, shutdown, failed } = options;
  const keys = await readKeyRing(config.service);
  const slot = new EngineSlot();
  const host = hostOf(config.service, keys !== undefined);
  const service = await createService({ ...options, keys, slot });
  const stopping = AbortSignal.any([shutdown, failed]);
  const { app } = service;
  try {
    await listen(app, host, config.service.port ?? DEFAULT_PORT);
    logger.info({ host, port: portOf(app), keys: keys?.size ?? 0 }, 'service listening');
    if (keys === undefined) logger.warn({ host }, 'service open to everyone who reaches it');
    const loaded = loadEngine(slot, options, stopping);
    await Promise.race([
      aborted(stopping),
      loaded.then((isLoaded) => isLoaded && aborted(stopping)),
    ]);
    if (failed.aborted) slot.fail();
    await drain(service, options);
    await loaded;
    return slot.phase === 'failed' ? 1 : 0;
  } finally {
    await closeServer(app);
    await slot.engine?.close();
    logger.info('service stopped');
  }
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

/**
 * Without keys only this machine may ask, unless the operator says that something else asks for
 * credentials.
 * @throws {SttError} INPUT_INVALID
 */
function hostOf({ host, allowAnonymous }: Config['service'], hasKeys: boolean): string {
  if (hasKeys || allowAnonymous) return host ?? EVERY_ADDRESS;
  if (host === undefined || isLoopback(host)) return host ?? LOOPBACK;
  throw new SttError(
    'INPUT_INVALID',
    'HOST is not loopback and there are no keys: set API_KEYS or API_KEYS_FILE, or ALLOW_ANONYMOUS',
  );
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/** @throws {SttError} INPUT_INVALID when the address is taken or cannot be had. */
async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  await app.listen({ host, port }).catch((cause: unknown) => {
    throw new SttError('INPUT_INVALID', `Port ${port} of HOST cannot be listened on`, { cause });
  });
}

/** Answers that are being written get a moment; connections that are only kept open get none. */
async function closeServer(app: FastifyInstance): Promise<void> {
  const closed = app.close();
  await Promise.race([closed, pause(ABORT_GRACE_MS)]);
  app.server.closeAllConnections();
  await closed;
}

function portOf(app: FastifyInstance): number {
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const aborted = (signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(true);
    signal.addEventListener('abort', () => resolve(true), { once: true });
  });

/** New jobs are refused; those at work get their time, then an error. */
async function drain(
  { context: { slot, work } }: Service,
  { config, logger, hurry }: RunServiceOptions,
): Promise<void> {
  slot.drain();
  logger.info({ held: work.size }, 'service draining');
  const timeUp = new AbortController();
  const { drainTimeoutMs } = config.service;
  const idle = work.idle().finally(() => timeUp.abort());
  await Promise.race([idle, pause(drainTimeoutMs, AbortSignal.any([hurry, timeUp.signal]))]);
  if (work.size === 0) return;
  work.abortAll();
  await Promise.race([idle, pause(ABORT_GRACE_MS)]);
}
