import { z } from 'zod';
import { ERROR_CODES } from '../../core/errors.ts';
import { JOB_STATES } from '../jobs/contracts.ts';
import { JobInputSchema } from '../schema.ts';
import { PHASES } from './engine-slot.ts';
import { FORMAT_CONTENT_TYPES, FormatRequestSchema } from './format-route.ts';
import { OpenAiErrorSchema } from './openai/openai-errors.ts';
import { TranscriptionRequest, TranslationRequest } from './openai/openai-request.ts';
import { AnswerOptionsSchema } from './stt-routes.ts';

const MULTIPART = 'multipart/form-data';
const JSON_TYPE = 'application/json';
type Schema = Readonly<Record<string, unknown>>;

const seconds = z.number().min(0);
const share = z.number().min(0).max(1);
const Segment = z.looseObject({
  start: seconds,
  end: seconds,
  text: z.string(),
  speaker: z.string().optional(),
  confidence: share,
  words: z.array(z.looseObject({ word: z.string(), start: seconds, end: seconds })).optional(),
});

/** What every result has; a later version may add fields. */
const Result = z.looseObject({
  meeting_id: z.string().nullable(),
  tenant_id: z.string().nullable(),
  transcript: z.string(),
  segments: z.array(Segment),
  speakers: z.record(
    z.string(),
    z.looseObject({
      total_duration: seconds,
      segments_count: z.int().min(0),
      text_parts: z.array(z.string()),
    }),
  ),
  confidence: share,
  processing_time: seconds,
  language: z.string(),
  total_segments: z.int().min(0),
  total_speakers: z.int().min(0),
  has_diarization: z.boolean(),
});

const Failure = z.looseObject({
  error: z.looseObject({
    code: z.enum(Object.keys(ERROR_CODES)),
    message: z.string(),
    retryable: z.boolean(),
  }),
});

const Job = z.looseObject({
  job_id: z.string(),
  status: z.enum(JOB_STATES),
  created_at: z.string(),
  result: z.looseObject({}).nullable().optional(),
  error: z.looseObject({}).nullable().optional(),
});

const Health = z.looseObject({
  status: z.enum(PHASES),
  model: z.string().nullable(),
  device: z.string().nullable(),
  version: z.string(),
});

const inputSchema = (schema: z.ZodType): Schema => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
};

/** A form: the fields of the schema, and the recording. */
function formOf(schema: z.ZodType): Schema {
  const form = inputSchema(schema);
  const required = Array.isArray(form['required']) ? form['required'] : [];
  return {
    ...form,
    properties: {
      file: {
        type: 'string',
        format: 'binary',
        description: 'WAV, MP3, M4A, FLAC, OGG, WebM, MP4',
      },
      ...Object(form['properties']),
    },
    required: ['file', ...required],
  };
}

const body = (type: string, schema: Schema): Schema => ({
  requestBody: { required: true, content: { [type]: { schema } } },
});

const answer = (description: string, schema: Schema, type = JSON_TYPE): Schema => ({
  description,
  content: { [type]: { schema } },
});

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const failure = { default: answer('A failure', ref('Failure')) };
const openAiFailure = { default: answer('A failure', ref('OpenAiFailure')) };

const jobId = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
const jobOperation = (summary: string, responses: Schema): Schema => ({
  summary,
  parameters: [jobId],
  responses: { ...responses, ...failure },
});

const audioAnswers = {
  '200': answer('The result, or events with Accept: text/event-stream', ref('Result')),
  '202': answer('Accepted: async was asked for', ref('Job')),
  ...failure,
};

/** The description of the API, made of the schemas that validate it. */
export function openApiDocument(version: string): Schema {
  return {
    openapi: '3.1.0',
    info: { title: 'stt-worker', version, license: { name: 'MIT', identifier: 'MIT' } },
    security: [{}, { bearer: [] }, { apiKey: [] }],
    paths: { ...healthPaths(), ...sttPaths(), ...jobPaths(), ...openAiPaths() },
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
      schemas: {
        Result: inputSchema(Result),
        Job: inputSchema(Job),
        Failure: inputSchema(Failure),
        OpenAiFailure: inputSchema(OpenAiErrorSchema),
        Health: inputSchema(Health),
      },
    },
  };
}

const healthPaths = () => ({
  '/health': {
    get: {
      summary: 'State of the process',
      security: [],
      responses: {
        '200': answer('Loading or ready', ref('Health')),
        '503': answer('Draining or failed', ref('Health')),
      },
    },
  },
  '/ping': {
    get: {
      summary: 'For load balancers',
      security: [],
      responses: {
        '200': { description: 'Ready' },
        '204': { description: 'Loading' },
        '503': { description: 'Draining or failed' },
      },
    },
  },
  '/stt/status': {
    get: {
      summary: 'State of the engine, and the limits of the caller',
      responses: { '200': answer('The state', { type: 'object' }), ...failure },
    },
  },
});

const sttPaths = () => ({
  '/stt/upload': {
    post: {
      summary: 'Transcribe an uploaded recording',
      ...body(MULTIPART, formOf(JobInputSchema.safeExtend(AnswerOptionsSchema.shape))),
      responses: audioAnswers,
    },
  },
  '/stt/process': {
    post: {
      summary: 'Transcribe the recording at a URL, or below AUDIO_ROOT',
      ...body(JSON_TYPE, inputSchema(JobInputSchema.safeExtend(AnswerOptionsSchema.shape))),
      responses: audioAnswers,
    },
  },
  '/stt/format': {
    post: {
      summary: 'Write the segments of a result as a document',
      ...body(JSON_TYPE, inputSchema(FormatRequestSchema)),
      responses: {
        '200': {
          description: 'The document',
          content: Object.fromEntries(
            [...new Set(Object.values(FORMAT_CONTENT_TYPES))].map((type) => [
              type,
              { schema: { type: 'string' } },
            ]),
          ),
        },
        ...failure,
      },
    },
  },
});

const jobPaths = () => ({
  '/stt/jobs': {
    get: {
      summary: 'Asynchronous jobs of the caller, newest first',
      responses: {
        '200': answer('Jobs without results', {
          type: 'object',
          properties: { jobs: { type: 'array', items: ref('Job') } },
          required: ['jobs'],
        }),
        ...failure,
      },
    },
  },
  '/stt/jobs/{id}': {
    get: jobOperation('State, progress and result', { '200': answer('The job', ref('Job')) }),
    delete: jobOperation('Cancel and forget it', { '204': { description: 'Deleted' } }),
  },
  '/stt/jobs/{id}/cancel': {
    post: jobOperation('Cancel it', { '200': answer('The job', ref('Job')) }),
  },
  '/stt/jobs/{id}/events': {
    get: jobOperation('Server-sent events until it has settled', {
      '200': answer('Events', { type: 'string' }, 'text/event-stream'),
    }),
  },
});

const openAiPaths = () => ({
  '/v1/audio/transcriptions': {
    post: {
      summary: 'As OpenAI',
      ...body(MULTIPART, formOf(TranscriptionRequest)),
      responses: { '200': { description: 'In the format asked for' }, ...openAiFailure },
    },
  },
  '/v1/audio/translations': {
    post: {
      summary: 'As OpenAI: into English',
      ...body(MULTIPART, formOf(TranslationRequest)),
      responses: { '200': { description: 'In the format asked for' }, ...openAiFailure },
    },
  },
  '/v1/models': {
    get: {
      summary: 'Names that `model` may have',
      responses: { '200': answer('The list', { type: 'object' }), ...openAiFailure },
    },
  },
});
