import { z } from 'zod';
import { JobInputSchema } from '../schema.ts';
import {
  ClientSecretSchema,
  FailureSchema,
  HealthSchema,
  JobPageSchema,
  JobSchema,
  OpenAiModelSchema,
  OpenAiModelsSchema,
  OpenAiTranscriptSchema,
  ResultSchema,
  StatusSchema,
  TokenSchema,
} from './answers.ts';
import { FORMAT_CONTENT_TYPES, FormatRequestSchema } from './format-route.ts';
import { OpenAiErrorSchema } from './openai/openai-errors.ts';
import { TranscriptionRequest, TranslationRequest } from './openai/openai-request.ts';
import { AnswerOptionsSchema } from './stt-routes.ts';

const MULTIPART = 'multipart/form-data';
const JSON_TYPE = 'application/json';
const EVENTS = 'text/event-stream';
type Schema = Readonly<Record<string, unknown>>;

const SCHEMAS = {
  Result: ResultSchema,
  Job: JobSchema,
  JobPage: JobPageSchema,
  Failure: FailureSchema,
  Health: HealthSchema,
  Status: StatusSchema,
  Token: TokenSchema,
  ClientSecret: ClientSecretSchema,
  OpenAiModel: OpenAiModelSchema,
  OpenAiModels: OpenAiModelsSchema,
  OpenAiTranscript: OpenAiTranscriptSchema,
  OpenAiFailure: OpenAiErrorSchema,
} as const;

function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
const inputSchema = (schema: z.ZodType): Schema => jsonSchemaOf(schema, 'input');

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

type Name = keyof typeof SCHEMAS;
const ref = (name: Name): Schema => ({ $ref: `#/components/schemas/${name}` });
const TEXT: Schema = { type: 'string' };

/** An answer in JSON, and in other types. */
const answer = (description: string, name: Name, ...texts: readonly string[]): Schema => ({
  description,
  content: {
    [JSON_TYPE]: { schema: ref(name) },
    ...Object.fromEntries(texts.map((type) => [type, { schema: TEXT }])),
  },
});
const textAnswer = (description: string, ...types: readonly string[]): Schema => ({
  description,
  content: Object.fromEntries(types.map((type) => [type, { schema: TEXT }])),
});

const failure = { default: answer('A failure', 'Failure') };
const openAiFailure = { default: answer('A failure', 'OpenAiFailure') };

const parameter = (place: 'path' | 'query' | 'header', name: string, schema: Schema): Schema => ({
  name,
  in: place,
  required: place === 'path',
  schema,
});
const jobId = parameter('path', 'id', { type: 'string', minLength: 1, maxLength: 128 });
const asked = [
  parameter('query', 'async', { type: 'string', enum: ['true', 'false', '1', '0'] }),
  parameter('header', 'Prefer', { type: 'string' }),
  parameter('header', 'Idempotency-Key', { type: 'string', minLength: 1, maxLength: 255 }),
];

const audioAnswers = {
  '200': answer('The result, or events with Accept: text/event-stream', 'Result', EVENTS),
  '202': answer('Accepted: async was asked for', 'Job'),
  ...failure,
};

/** The description of the API, made of the schemas that validate it and of those of its answers. */
export function openApiDocument(version: string): Schema {
  return {
    openapi: '3.1.0',
    info: { title: 'stt-worker', version, license: { name: 'MIT', identifier: 'MIT' } },
    security: [{}, { bearer: [] }, { apiKey: [] }],
    paths: {
      ...healthPaths(),
      ...sttPaths(),
      ...jobPaths(),
      ...realtimePaths(),
      ...openAiPaths(),
    },
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
      schemas: Object.fromEntries(
        Object.entries(SCHEMAS).map(([name, schema]) => [name, jsonSchemaOf(schema, 'output')]),
      ),
    },
  };
}

const healthPaths = () => ({
  '/health': {
    get: {
      summary: 'State of the process',
      security: [],
      responses: {
        '200': answer('Loading or ready', 'Health'),
        '503': answer('Draining or failed', 'Health'),
        ...failure,
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
        ...failure,
      },
    },
  },
  '/stt/status': {
    get: {
      summary: 'State of the engine, and the limits of the caller',
      responses: { '200': answer('The state', 'Status'), ...failure },
    },
  },
  '/metrics': {
    get: {
      summary: 'For Prometheus; with METRICS_TOKEN',
      responses: { '200': textAnswer('Metrics', 'text/plain'), ...failure },
    },
  },
});

const sttPaths = () => ({
  '/stt/upload': {
    post: {
      summary: 'Transcribe an uploaded recording',
      parameters: asked,
      ...body(MULTIPART, formOf(JobInputSchema.safeExtend(AnswerOptionsSchema.shape))),
      responses: audioAnswers,
    },
  },
  '/stt/process': {
    post: {
      summary: 'Transcribe the recording at a URL, or below AUDIO_ROOT',
      parameters: asked,
      ...body(JSON_TYPE, inputSchema(JobInputSchema.safeExtend(AnswerOptionsSchema.shape))),
      responses: audioAnswers,
    },
  },
  '/stt/format': {
    post: {
      summary: 'Write the segments of a result as a document',
      ...body(JSON_TYPE, inputSchema(FormatRequestSchema)),
      responses: {
        '200': textAnswer('The document', ...new Set(Object.values(FORMAT_CONTENT_TYPES))),
        ...failure,
      },
    },
  },
});

const jobOperation = (summary: string, responses: Schema): Schema => ({
  summary,
  parameters: [jobId],
  responses: { ...responses, ...failure },
});

const jobPaths = () => ({
  '/stt/jobs': {
    get: {
      summary: 'Asynchronous jobs of the caller without results, newest first',
      parameters: [
        parameter('query', 'limit', { type: 'integer', minimum: 1, maximum: 100 }),
        parameter('query', 'cursor', { type: 'string', description: 'next_cursor of a page' }),
      ],
      responses: { '200': answer('A page of jobs', 'JobPage'), ...failure },
    },
  },
  '/stt/jobs/{id}': {
    get: jobOperation('State, progress and result', { '200': answer('The job', 'Job') }),
    delete: jobOperation('Cancel and forget it', { '204': { description: 'Deleted' } }),
  },
  '/stt/jobs/{id}/cancel': {
    post: jobOperation('Cancel it', { '200': answer('The job', 'Job') }),
  },
  '/stt/jobs/{id}/events': {
    get: jobOperation('Server-sent events until it has settled', {
      '200': textAnswer('Events', EVENTS),
    }),
  },
});

const realtimePaths = () => ({
  '/stt/realtime/token': {
    post: {
      summary: 'A token for the URL of /stt/realtime, good once and for minutes',
      responses: { '200': answer('The token', 'Token'), ...failure },
    },
  },
  '/v1/realtime/client_secrets': {
    post: {
      summary: 'As OpenAI: a secret for /v1/realtime',
      ...body(JSON_TYPE, { type: 'object' }),
      responses: { '200': answer('The secret', 'ClientSecret'), ...openAiFailure },
    },
  },
});

const transcript = {
  '200': answer(
    'In the format asked for, or events with stream',
    'OpenAiTranscript',
    'text/plain',
    EVENTS,
  ),
  ...openAiFailure,
};

const openAiPaths = () => ({
  '/v1/audio/transcriptions': {
    post: {
      summary: 'As OpenAI',
      ...body(MULTIPART, formOf(TranscriptionRequest)),
      responses: transcript,
    },
  },
  '/v1/audio/translations': {
    post: {
      summary: 'As OpenAI: into English',
      ...body(MULTIPART, formOf(TranslationRequest)),
      responses: transcript,
    },
  },
  '/v1/models': {
    get: {
      summary: 'Names that `model` may have',
      responses: { '200': answer('The list', 'OpenAiModels'), ...openAiFailure },
    },
  },
  '/v1/models/{model}': {
    get: {
      summary: 'One of them',
      parameters: [parameter('path', 'model', { type: 'string', minLength: 1 })],
      responses: { '200': answer('The model', 'OpenAiModel'), ...openAiFailure },
    },
  },
});
