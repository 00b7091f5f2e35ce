import { resolve } from 'node:path';
import type { Config } from '../../core/config.ts';
import { SttError } from '../../core/errors.ts';
import type { ServiceModule } from '../http/create-service.ts';
import type { ServiceEngine } from '../http/engine-slot.ts';
import { rounded } from '../wire-segment.ts';
import { readDownloadKey } from './download-key.ts';
import { GatewayExecutor } from './gateway-executor.ts';
import { GatewayWindows } from './gateway-windows.ts';
import { registerSignedDownloads } from './register-signed-downloads.ts';
import { S3Bucket } from './s3-bucket.ts';
import { SignedDownloads } from './signed-downloads.ts';
import type { WorkerBudget } from './worker-budget.ts';

/** A service whose work is done by a RunPod endpoint. */
export interface Gateway {
  readonly modules: readonly ServiceModule[];
  createWindows(budget: WorkerBudget): GatewayWindows;
  /** Jobs that the endpoint cannot answer go to `fallback`, which is closed with the engine. */
  createEngine(budget: WorkerBudget, fallback: ServiceEngine | undefined): ServiceEngine;
}

/**
 * What `config` says of a gateway; undefined without GATEWAY_ENDPOINT_ID.
 * @throws {SttError} STORE_UNAVAILABLE where DATA_DIR cannot be used.
 */
export function createGateway(config: Config): Gateway | undefined {
  const { endpointId, apiKey, baseUrl, publicUrl, maxQueueMs, maxJobMs, maxAttempts } =
    config.gateway;
  if (endpointId === undefined || apiKey === undefined) return undefined;
  const target = { endpointId, apiKey, baseUrl };
  const bucket = bucketOf(config.s3);
  const downloads =
    bucket === undefined && publicUrl !== undefined
      ? new SignedDownloads(publicUrl, readDownloadKey(resolve(config.jobs.dataDir)))
      : undefined;
  return {
    modules: downloads === undefined ? [] : [(app) => registerSignedDownloads(app, downloads)],
    createWindows: (budget) => new GatewayWindows({ target, budget }),
    createEngine(budget, fallback) {
      const executor = new GatewayExecutor({
        target: { ...target, limits: { maxQueueMs, maxJobMs } },
        handover: { store: bucket ?? downloads, audio: config.audio },
        maxAttempts,
        budget,
        fallback: fallback?.executor,
      });
      return engineOf(executor, { endpointId, budget, fallback });
    },
  };
}

interface EngineParts {
  readonly endpointId: string;
  readonly budget: WorkerBudget;
  readonly fallback: ServiceEngine | undefined;
}

/** Model and languages are the workers' affair, and not known here. */
const engineOf = (
  executor: GatewayExecutor,
  { endpointId, budget, fallback }: EngineParts,
): ServiceEngine => ({
  executor,
  model: `runpod/${endpointId}`,
  device: 'endpoint',
  languages: [],
  repeatsFailures: true,
  mayBegin: () => budget.isLeft || fallback !== undefined,
  stats: () => fallback?.stats() ?? null,
  details: async () => ({
    endpoint: await executor
      .health()
      .catch((thrown: unknown) => ({ error: SttError.from(thrown).toJSON() })),
    worker_minutes_today: rounded(budget.usedSec / 60, 2),
    worker_minutes_per_day: budget.maxSecPerDay === undefined ? null : budget.maxSecPerDay / 60,
    fallback: fallback?.model ?? null,
  }),
  close: async () => fallback?.close(),
});

function bucketOf(s3: Config['s3']): S3Bucket | undefined {
  const { endpoint, bucket, region, accessKeyId, secretAccessKey } = s3;
  if (endpoint === undefined || bucket === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return new S3Bucket({ endpoint, bucket, region, accessKeyId, secretAccessKey });
}
