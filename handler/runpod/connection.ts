import { randomUUID } from 'node:crypto';
import type { Config } from '../../core/config.ts';
import type { Logger } from '../../core/logger.ts';
import { ApiClient, type PlatformHeaders, platformHeaders } from './api-client.ts';
import type { FitnessFailure } from './fitness.ts';
import { DEFAULT_TIMING, type Timing } from './timing.ts';
import { fillIdentity, fillWorkerUrl, unhealthyPingUrl } from './urls.ts';

/** The platform's URLs, with everything filled in that is known at start-up. */
export interface Connection {
  readonly client: ApiClient;
  readonly timing: Timing;
  readonly headers: PlatformHeaders;
  readonly protocolVersion: string;
  readonly takeBase: string;
  readonly outputTemplate: string;
  readonly streamTemplate: string;
  /** Absent when nothing identifies this worker to the platform. */
  readonly pingBase: string | undefined;
}

/** Fills the platform's URLs; `undefined` when they or the key are missing. */
export function connect({
  config,
  logger,
  version,
  timing,
}: ConnectOptions): Connection | undefined {
  const { getJobUrl, postOutputUrl, postStreamUrl, pingUrl, workerApiKey: apiKey } = config;
  if (!(getJobUrl && postOutputUrl && apiKey)) {
    logger.error('worker configuration incomplete');
    return undefined;
  }
  const identity = { workerId: config.podId ?? randomUUID(), gpuTypeId: config.gpuTypeId };
  const headers = platformHeaders(apiKey, version);
  return {
    client: new ApiClient(headers),
    timing: { ...DEFAULT_TIMING, ...timing },
    headers,
    protocolVersion: config.protocolVersion,
    takeBase: fillWorkerUrl(getJobUrl, identity),
    outputTemplate: fillIdentity(postOutputUrl, identity),
    // A chunk sent to the output URL would complete the job.
    streamTemplate: fillIdentity(postStreamUrl ?? postOutputUrl, identity).replace(
      '/job-done/',
      '/job-stream/',
    ),
    pingBase: pingUrl && config.podId ? fillWorkerUrl(pingUrl, identity) : undefined,
  };
}

/** One attempt: the process is about to leave. */
export async function reportUnfit(failure: FitnessFailure, connection: Connection): Promise<void> {
  const { client, timing, pingBase, protocolVersion } = connection;
  if (pingBase === undefined) return;
  const url = unhealthyPingUrl(pingBase, failure, protocolVersion);
  await client.get(url, timing.unhealthyPingMs).catch(() => undefined);
}

interface ConnectOptions {
  readonly config: Config['runpod'];
  readonly logger: Logger;
  readonly version: string;
  readonly timing?: Partial<Timing>;
}
