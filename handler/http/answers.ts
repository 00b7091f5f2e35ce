import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../../core/errors.ts';
import { JOB_STATES } from '../jobs/contracts.ts';
import { OUTPUT_FORMATS } from '../schema.ts';
import { PHASES } from './engine-slot.ts';

/** What the service answers, field by field; a later version may add fields. */

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];
const seconds = z.number().min(0);
const share = z.number().min(0).max(1);
const count = z.int().min(0);
const text = z.string();
const time = z.iso.datetime();

const Word = z.looseObject({
  word: text,
  start: seconds,
  end: seconds,
  confidence: share,
  speaker: text.optional(),
});

const Segment = z.looseObject({
  start: seconds,
  end: seconds,
  text,
  speaker: text.optional(),
  language: text.optional(),
  confidence: share,
  words: z.array(Word).optional(),
});

const Warning = z.looseObject({
  code: text,
  message: text,
  count: count.optional(),
  ranges: z.array(z.looseObject({ start: seconds, end: seconds })).optional(),
  announced_duration: seconds.optional(),
  decoded_duration: seconds.optional(),
});

/** The answer to a job. */
export const ResultSchema = z.looseObject({
  meeting_id: text.nullable(),
  tenant_id: text.nullable(),
  transcript: text,
  segments: z.array(Segment),
  speakers: z.record(
    text,
    z.looseObject({
      total_duration: seconds,
      segments_count: count,
      text_parts: z.array(text),
      embedding: z.array(z.number()).optional(),
    }),
  ),
  confidence: share,
  processing_time: seconds,
  language: text,
  total_segments: count,
  total_speakers: count,
  has_diarization: z.boolean(),
  user_id: text.nullable(),
  audio_duration: seconds,
  language_probability: share,
  model: text,
  alignment: text.nullable(),
  warnings: z.array(Warning),
  decoded_rows: count.optional(),
  timings: z.record(text, seconds),
  output_format: z.enum(OUTPUT_FORMATS).optional(),
  formatted: text.optional(),
});

const WireErrorSchema = z.looseObject({
  code: z.enum(CODES),
  message: text,
  retryable: z.boolean(),
});

/** Every failure outside `/v1`. */
export const FailureSchema = z.looseObject({
  error: WireErrorSchema,
  request_id: text.optional(),
});

/** A job that is not waited for; lists leave its result out. */
export const JobSchema = z.looseObject({
  job_id: text,
  status: z.enum(JOB_STATES),
  created_at: time,
  started_at: time.nullable(),
  finished_at: time.nullable(),
  expires_at: time.nullable(),
  attempts: count,
  progress: z.looseObject({ stage: text, fraction: share }).nullable(),
  result: ResultSchema.nullable().optional(),
  error: WireErrorSchema.nullable(),
  webhook: z
    .looseObject({
      status: z.enum(['pending', 'delivered', 'failed']),
      attempts: count,
      last_status: count.nullable(),
    })
    .nullable(),
});

export const JobPageSchema = z.looseObject({
  jobs: z.array(JobSchema),
  next_cursor: text.nullable(),
});

export const HealthSchema = z.looseObject({
  status: z.enum(PHASES),
  model: text.nullable(),
  device: text.nullable(),
  version: text,
  uptime: count,
});

const waits = z.looseObject({ p50: z.number().min(0), p95: z.number().min(0) });

export const StatusSchema = z.looseObject({
  status: z.enum(PHASES),
  version: text,
  model: text.nullable(),
  models: z.array(z.looseObject({ name: text, task: text })),
  device: text.nullable(),
  languages: z.array(text),
  jobs: z.looseObject({ running: count, waiting: count }),
  sessions: count,
  live: z.looseObject({ lag_seconds: z.number().min(0), final_seconds: waits }).nullable(),
  engine: z
    .looseObject({
      batches: count,
      windows: count,
      batch_fill: share,
      batch_size: count,
      out_of_memory: count,
      queue: z.looseObject({ realtime: count, file: count }),
      wait_seconds: z.looseObject({ realtime: waits, file: waits }),
    })
    .nullable(),
  details: z.looseObject({}).optional(),
  memory: z.looseObject({
    resident_mb: count,
    gpu_used_mb: count.nullable(),
    gpu_total_mb: count.nullable(),
  }),
  limits: z.looseObject({
    max_audio_mb: z.number(),
    max_audio_sec: z.number(),
    max_concurrent_jobs: count,
    max_queued_jobs: count,
  }),
  tenant: z
    .looseObject({
      tenant_id: text,
      requests_per_minute: count,
      concurrent_jobs: count,
      queued_jobs: count,
      jobs_running: count,
      audio_minutes_per_day: z.number().nullable(),
      audio_minutes_today: z.number(),
    })
    .nullable(),
});

export const TokenSchema = z.looseObject({ token: text, expires_at: time });

export const ClientSecretSchema = z.looseObject({
  value: text,
  expires_at: count,
  session: z.looseObject({ object: text }),
});

const Usage = z.looseObject({ type: z.literal('duration'), seconds: count });

export const OpenAiModelSchema = z.looseObject({
  id: text,
  object: z.literal('model'),
  created: count,
  owned_by: text,
});

export const OpenAiModelsSchema = z.looseObject({
  object: z.literal('list'),
  data: z.array(OpenAiModelSchema),
});

/** `json`, `verbose_json` and `diarized_json`: what they have in common, and their own. */
export const OpenAiTranscriptSchema = z.looseObject({
  text,
  usage: Usage,
  task: z.enum(['transcribe', 'translate']).optional(),
  language: text.optional(),
  duration: seconds.optional(),
  segments: z.array(z.looseObject({ start: seconds, end: seconds, text })).optional(),
  words: z.array(z.looseObject({ word: text, start: seconds, end: seconds })).optional(),
});
