import type { Config } from '../../core/config.ts';
import type { JobExecutor } from '../jobs/contracts.ts';
import type { AudioStore } from './audio-store.ts';
import { GatewayExecutor } from './gateway-executor.ts';
import { GatewayWindows } from './gateway-windows.ts';
import { S3Bucket } from './s3-bucket.ts';
import { SignedDownloads } from './signed-downloads.ts';

export interface Gateway {
  readonly executor: GatewayExecutor;
  readonly windows: GatewayWindows;
  /** To be served where there is a PUBLIC_URL and no bucket: `registerSignedDownloads`. */
  readonly downloads: SignedDownloads | undefined;
}

/** What `config` says of a gateway; undefined without GATEWAY_ENDPOINT_ID. */
export function createGateway(config: Config, fallback?: JobExecutor): Gateway | undefined {
  const { endpointId, apiKey, baseUrl, publicUrl, maxQueueMs, maxJobMs, maxAttempts } =
    config.gateway;
  if (endpointId === undefined || apiKey === undefined) return undefined;
  const target = { endpointId, apiKey, baseUrl };
  const bucket = bucketOf(config.s3);
  const downloads =
    bucket === undefined && publicUrl !== undefined ? new SignedDownloads(publicUrl) : undefined;
  const store: AudioStore | undefined = bucket ?? downloads;
  return {
    executor: new GatewayExecutor({
      target: { ...target, limits: { maxQueueMs, maxJobMs } },
      handover: { store, audio: config.audio },
      maxAttempts,
      fallback,
    }),
    windows: new GatewayWindows({ target }),
    downloads,
  };
}

function bucketOf(s3: Config['s3']): S3Bucket | undefined {
  const { endpoint, bucket, region, accessKeyId, secretAccessKey } = s3;
  if (endpoint === undefined || bucket === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return new S3Bucket({ endpoint, bucket, region, accessKeyId, secretAccessKey });
}
