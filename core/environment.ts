import { z } from 'zod';
import { spokenLanguage } from './languages.ts';

const flag = z.stringbool({
  truthy: ['1', 'true', 'yes', 'on'],
  falsy: ['0', 'false', 'no', 'off', ''],
});
const optionalText = z
  .string()
  .optional()
  .transform((text) => (text === '' ? undefined : text));
/** An empty value turns the folder off. */
const folderOrNone = (folder: string) =>
  z
    .string()
    .default(folder)
    .transform((text) => (text === '' ? undefined : text));

const proxy = optionalText.refine((text) => text === undefined || /^https?:\/\/./.test(text), {
  error: 'expected http://… or https://…',
});

const commaSeparated = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );

/** `ko=org/name,en=/folder` */
const modelsByLanguage = commaSeparated.transform((items, context) => {
  const models = items.map((item) => {
    const [language = '', model] = item.split(/=(.*)/s);
    return [spokenLanguage(language)?.code, model] as const;
  });
  if (models.every(([code, model]) => code && model)) return Object.fromEntries(models);
  context.addIssue({ code: 'custom', message: 'expected language=model, separated by commas' });
  return z.NEVER;
});

const languages = commaSeparated.transform((items, context) => {
  const codes = items.map((item) => spokenLanguage(item)?.code);
  if (codes.every((code) => code !== undefined)) return codes;
  context.addIssue({ code: 'custom', message: 'expected languages, separated by commas' });
  return z.NEVER;
});

/** Every variable the project reads; `.env.example` explains each. */
export const EnvironmentSchema = z.object({
  LOG_LEVEL: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
  DEVICE: z.enum(['auto', 'cuda', 'cpu']).default('auto'),
  WHISPER_MODEL: optionalText,
  COMPUTE_TYPE: z.enum(['auto', 'float16', 'float32', 'int8']).default('auto'),
  WHISPER_BATCH_SIZE: z.coerce.number().int().min(1).max(32).optional(),
  ALIGNMENT: z.enum(['auto', 'ctc', 'attention']).default('auto'),
  ALIGNMENT_MODEL: modelsByLanguage,
  ALIGNMENT_PRELOAD: languages,
  ALIGNMENT_MEMORY_MB: z.coerce.number().int().min(1).optional(),
  ENGINE_THREADS: z.coerce.number().int().min(0).max(256).default(0),
  ENGINE_RUN_LIMIT_SEC: z.coerce.number().min(10).max(86_400).optional(),
  CUDA_VISIBLE_DEVICES: z.string().optional(),
  AUDIO_ROOT: optionalText,
  ALLOW_HTTP_URLS: flag.default(false),
  ALLOW_PRIVATE_URLS: flag.default(false),
  MAX_AUDIO_MB: z.coerce.number().positive().default(100),
  MAX_AUDIO_SEC: z.coerce.number().positive().default(3600),
  FETCH_TIMEOUT_SEC: z.coerce.number().positive().default(120),
  SPOOL_DIR: optionalText,
  FFMPEG_PATH: optionalText,
  HF_TOKEN: optionalText,
  HF_TOKEN_PATH: optionalText,
  HF_HOME: optionalText,
  XDG_CACHE_HOME: optionalText,
  HF_HUB_CACHE: optionalText,
  HF_ENDPOINT: z.url().default('https://huggingface.co'),
  HF_HUB_OFFLINE: flag.default(false),
  HTTPS_PROXY: proxy,
  HTTP_PROXY: proxy,
  NO_PROXY: optionalText,
  RUNPOD_MODEL_CACHE: folderOrNone('/runpod-volume/huggingface-cache/hub'),
  MODEL_VOLUME: folderOrNone('/runpod-volume/stt-models'),
  HOST: optionalText,
  PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  API_KEYS: optionalText,
  API_KEYS_FILE: optionalText,
  ALLOW_ANONYMOUS: flag.default(false),
  REALTIME_KEEP_AUDIO: flag.default(false),
  REALTIME_MAX_SESSIONS: z.coerce.number().int().min(1).max(10_000).default(64),
  REALTIME_MAX_SESSION_SEC: z.coerce.number().min(1).max(86_400).default(14_400),
  REALTIME_MAX_SPEED: z.coerce.number().min(1).max(100).default(2),
  REALTIME_PATIENCE_SEC: z.coerce.number().min(1).max(86_400).default(900),
  METRICS_TOKEN: optionalText,
  CORS_ORIGINS: commaSeparated,
  MAX_CONCURRENT_JOBS: z.coerce.number().int().min(1).max(256).default(4),
  MAX_QUEUED_JOBS: z.coerce.number().int().min(0).max(100_000).default(256),
  MAX_STORED_UPLOAD_MB: z.coerce.number().positive().default(20_480),
  MAX_CONNECTIONS: z.coerce.number().int().min(1).max(65_535).default(1024),
  MAX_CONNECTIONS_PER_ADDRESS: z.coerce.number().int().min(1).max(65_535).default(256),
  REQUEST_TIMEOUT_SEC: z.coerce.number().positive().max(86_400).default(300),
  DRAIN_TIMEOUT_SEC: z.coerce.number().min(0).max(86_400).default(30),
  TENANT_REQUESTS_PER_MIN: z.coerce.number().int().min(1).default(600),
  TENANT_CONCURRENT_JOBS: z.coerce.number().int().min(1).default(16),
  TENANT_QUEUED_JOBS: z.coerce.number().int().min(0).default(64),
  TENANT_AUDIO_MIN_PER_DAY: z.coerce.number().positive().optional(),
  TENANT_STORED_UPLOAD_MB: z.coerce.number().positive().default(5120),
  DATA_DIR: z.string().min(1).default('data'),
  DATABASE_URL: z.url({ protocol: /^postgres(?:ql)?$/ }).optional(),
  RESULT_RETENTION_HOURS: z.coerce.number().positive().max(8784).default(24),
  JOB_MAX_ATTEMPTS: z.coerce.number().int().min(1).max(10).default(3),
  JOB_LEASE_SEC: z.coerce.number().min(5).max(3600).default(60),
  JOB_MAX_WAIT_HOURS: z.coerce.number().positive().max(8784).default(48),
  WEBHOOK_SECRETS: commaSeparated,
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  GATEWAY_ENDPOINT_ID: optionalText,
  GATEWAY_API_KEY: optionalText,
  GATEWAY_BASE_URL: z.url().optional(),
  GATEWAY_MAX_QUEUE_SEC: z.coerce.number().min(5).max(86_400).default(900),
  GATEWAY_MAX_JOB_SEC: z.coerce.number().min(5).max(172_800).default(3600),
  GATEWAY_MAX_ATTEMPTS: z.coerce.number().int().min(1).max(5).default(2),
  GATEWAY_MAX_WORKER_MIN_PER_DAY: z.coerce.number().positive().optional(),
  GATEWAY_FALLBACK: z.enum(['none', 'local']).default('none'),
  S3_ENDPOINT: z.url().optional(),
  S3_BUCKET: optionalText,
  S3_REGION: z.string().min(1).default('auto'),
  S3_ACCESS_KEY_ID: optionalText,
  S3_SECRET_ACCESS_KEY: optionalText,
  RUNPOD_WEBHOOK_GET_JOB: optionalText,
  RUNPOD_WEBHOOK_POST_OUTPUT: optionalText,
  RUNPOD_WEBHOOK_POST_STREAM: optionalText,
  RUNPOD_WEBHOOK_PING: optionalText,
  RUNPOD_AI_API_KEY: optionalText,
  RUNPOD_API_KEY: optionalText,
  RUNPOD_POD_ID: optionalText,
  RUNPOD_POD_HOSTNAME: optionalText,
  RUNPOD_ENDPOINT_ID: optionalText,
  RUNPOD_GPU_TYPE_ID: optionalText,
  RUNPOD_PING_INTERVAL: z.coerce.number().int().min(100).default(10_000),
  RUNPOD_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(8),
  RUNPOD_REFRESH_WORKER: flag.default(false),
  RUNPOD_AGGREGATE_STREAM: flag.default(false),
  RUNPOD_PROTOCOL_VERSION: z.string().min(1).default('1.12.0'),
  RUNPOD_MIN_MEMORY_GB: z.coerce.number().min(0).default(4),
  RUNPOD_MIN_DISK_PERCENT: z.coerce.number().min(0).max(100).default(10),
  RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: flag.default(false),
  RUNPOD_SKIP_GPU_CHECK: flag.default(false),
  RUNPOD_MAX_RESULT_MB: z.coerce.number().positive().default(20),
});

export type Environment = z.output<typeof EnvironmentSchema>;
