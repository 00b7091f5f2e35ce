import { z } from 'zod';
import { type Environment, EnvironmentSchema } from './environment.ts';

const MEBIBYTE = 1024 * 1024;

const serviceOf = (env: Environment) => ({
  host: env.HOST,
  port: env.PORT,
  apiKeys: env.API_KEYS,
  apiKeysFile: env.API_KEYS_FILE,
  allowAnonymous: env.ALLOW_ANONYMOUS,
  metricsToken: env.METRICS_TOKEN,
  corsOrigins: env.CORS_ORIGINS,
  maxConcurrentJobs: env.MAX_CONCURRENT_JOBS,
  maxQueuedJobs: env.MAX_QUEUED_JOBS,
  maxStoredUploadBytes: Math.floor(env.MAX_STORED_UPLOAD_MB * MEBIBYTE),
  maxConnections: env.MAX_CONNECTIONS,
  maxConnectionsPerAddress: env.MAX_CONNECTIONS_PER_ADDRESS,
  requestTimeoutMs: env.REQUEST_TIMEOUT_SEC * 1000,
  drainTimeoutMs: env.DRAIN_TIMEOUT_SEC * 1000,
  tenantDefaults: {
    requestsPerMin: env.TENANT_REQUESTS_PER_MIN,
    concurrentJobs: env.TENANT_CONCURRENT_JOBS,
    queuedJobs: env.TENANT_QUEUED_JOBS,
    audioMinPerDay: env.TENANT_AUDIO_MIN_PER_DAY,
    storedUploadBytes: Math.floor(env.TENANT_STORED_UPLOAD_MB * MEBIBYTE),
  },
});

const realtimeOf = (env: Environment) => ({
  keepAudio: env.REALTIME_KEEP_AUDIO,
  maxSessions: env.REALTIME_MAX_SESSIONS,
  maxSessionSec: env.REALTIME_MAX_SESSION_SEC,
  maxSpeed: env.REALTIME_MAX_SPEED,
  patienceMs: env.REALTIME_PATIENCE_SEC * 1000,
});

const hubOf = (env: Environment) => ({
  token: env.HF_TOKEN,
  tokenPath: env.HF_TOKEN_PATH,
  home: env.HF_HOME,
  userCache: env.XDG_CACHE_HOME,
  cache: env.HF_HUB_CACHE,
  endpoint: env.HF_ENDPOINT,
  offline: env.HF_HUB_OFFLINE,
  proxies: { https: env.HTTPS_PROXY, http: env.HTTP_PROXY, except: env.NO_PROXY },
  runpodCache: env.RUNPOD_MODEL_CACHE,
  volume: env.MODEL_VOLUME,
});

const jobsOf = (env: Environment) => ({
  dataDir: env.DATA_DIR,
  databaseUrl: env.DATABASE_URL,
  retentionMs: env.RESULT_RETENTION_HOURS * 3_600_000,
  maxAttempts: env.JOB_MAX_ATTEMPTS,
  leaseMs: env.JOB_LEASE_SEC * 1000,
  maxWaitMs: env.JOB_MAX_WAIT_HOURS * 3_600_000,
  webhookSecrets: env.WEBHOOK_SECRETS,
});

const gatewayOf = (env: Environment) => ({
  endpointId: env.GATEWAY_ENDPOINT_ID,
  apiKey: env.GATEWAY_API_KEY,
  baseUrl: env.GATEWAY_BASE_URL,
  publicUrl: env.PUBLIC_URL,
  maxQueueMs: env.GATEWAY_MAX_QUEUE_SEC * 1000,
  maxJobMs: env.GATEWAY_MAX_JOB_SEC * 1000,
  maxAttempts: env.GATEWAY_MAX_ATTEMPTS,
  maxWorkerSecPerDay: env.GATEWAY_MAX_WORKER_MIN_PER_DAY && env.GATEWAY_MAX_WORKER_MIN_PER_DAY * 60,
  fallback: env.GATEWAY_FALLBACK,
});

const bucketOf = (env: Environment) => ({
  endpoint: env.S3_ENDPOINT,
  bucket: env.S3_BUCKET,
  region: env.S3_REGION,
  accessKeyId: env.S3_ACCESS_KEY_ID,
  secretAccessKey: env.S3_SECRET_ACCESS_KEY,
});

/** Settings of which either all are given or none. */
const SETS = [
  ['GATEWAY_ENDPOINT_ID', 'GATEWAY_API_KEY'],
  ['S3_ENDPOINT', 'S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'],
] as const;

const ConfigSchema = EnvironmentSchema.superRefine((env, context) => {
  for (const names of SETS) {
    const missing = names.filter((name) => env[name] === undefined);
    if (missing.length === names.length) continue;
    for (const name of missing) {
      const message = `required together with ${names.filter((other) => other !== name).join(', ')}`;
      context.addIssue({ code: 'custom', path: [name], message });
    }
  }
  if (env.ALIGNMENT === 'attention' && env.ALIGNMENT_PRELOAD.length > 0) {
    const message = 'needs ALIGNMENT=auto or ctc';
    context.addIssue({ code: 'custom', path: ['ALIGNMENT_PRELOAD'], message });
  }
  if (env.RUNPOD_WEBHOOK_GET_JOB === undefined) return;
  for (const name of ['RUNPOD_AI_API_KEY', 'RUNPOD_WEBHOOK_POST_OUTPUT'] as const) {
    if (env[name] === undefined) {
      context.addIssue({ code: 'custom', path: [name], message: 'required in worker mode' });
    }
  }
}).transform((env) => ({
  logLevel: env.LOG_LEVEL,
  engine: {
    device: env.DEVICE,
    whisperModel: env.WHISPER_MODEL,
    computeType: env.COMPUTE_TYPE,
    batchSize: env.WHISPER_BATCH_SIZE,
    threads: env.ENGINE_THREADS,
    runLimitMs: env.ENGINE_RUN_LIMIT_SEC && env.ENGINE_RUN_LIMIT_SEC * 1000,
    visibleGpus: env.CUDA_VISIBLE_DEVICES,
  },
  alignment: {
    mode: env.ALIGNMENT,
    models: env.ALIGNMENT_MODEL,
    preload: env.ALIGNMENT_PRELOAD,
    maxBytes: env.ALIGNMENT_MEMORY_MB && env.ALIGNMENT_MEMORY_MB * 1_000_000,
  },
  audio: {
    root: env.AUDIO_ROOT,
    allowHttp: env.ALLOW_HTTP_URLS,
    allowPrivateUrls: env.ALLOW_PRIVATE_URLS,
    maxBytes: Math.floor(env.MAX_AUDIO_MB * MEBIBYTE),
    maxSec: env.MAX_AUDIO_SEC,
    fetchTimeoutMs: env.FETCH_TIMEOUT_SEC * 1000,
    spoolDir: env.SPOOL_DIR,
    ffmpegPath: env.FFMPEG_PATH,
  },
  hub: hubOf(env),
  service: serviceOf(env),
  realtime: realtimeOf(env),
  jobs: jobsOf(env),
  gateway: gatewayOf(env),
  s3: bucketOf(env),
  runpod: {
    getJobUrl: env.RUNPOD_WEBHOOK_GET_JOB,
    postOutputUrl: env.RUNPOD_WEBHOOK_POST_OUTPUT,
    postStreamUrl: env.RUNPOD_WEBHOOK_POST_STREAM ?? env.RUNPOD_WEBHOOK_POST_OUTPUT,
    pingUrl: env.RUNPOD_WEBHOOK_PING,
    workerApiKey: env.RUNPOD_AI_API_KEY,
    clientApiKey: env.RUNPOD_API_KEY,
    podId: env.RUNPOD_POD_ID,
    podHostname: env.RUNPOD_POD_HOSTNAME,
    endpointId: env.RUNPOD_ENDPOINT_ID,
    gpuTypeId: env.RUNPOD_GPU_TYPE_ID,
    pingIntervalMs: env.RUNPOD_PING_INTERVAL,
    concurrency: env.RUNPOD_CONCURRENCY,
    refreshWorker: env.RUNPOD_REFRESH_WORKER,
    aggregateStream: env.RUNPOD_AGGREGATE_STREAM,
    protocolVersion: env.RUNPOD_PROTOCOL_VERSION,
    minMemoryGb: env.RUNPOD_MIN_MEMORY_GB,
    minDiskPercent: env.RUNPOD_MIN_DISK_PERCENT,
    skipSystemChecks: env.RUNPOD_SKIP_AUTO_SYSTEM_CHECKS,
    skipGpuCheck: env.RUNPOD_SKIP_GPU_CHECK,
    maxResultBytes: Math.floor(env.RUNPOD_MAX_RESULT_MB * MEBIBYTE),
  },
}));

type DeepReadonly<T> = { readonly [K in keyof T]: T[K] extends object ? DeepReadonly<T[K]> : T[K] };

export type Config = DeepReadonly<z.output<typeof ConfigSchema>>;

/** curl and Python take these in small letters, and prefer them so. */
const lowerCaseProxies = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'].flatMap((name) => {
      const value = env[name.toLowerCase()];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/**
 * Reads the environment once, at boot; nothing else may touch `process.env`.
 * @throws {Error} naming every problem at once, never a value.
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const parsed = ConfigSchema.safeParse({ ...env, ...lowerCaseProxies(env) });
  if (!parsed.success) throw new Error(`Invalid configuration\n${z.prettifyError(parsed.error)}`);
  for (const section of Object.values(parsed.data)) Object.freeze(section);
  return Object.freeze(parsed.data);
}
