import { z } from 'zod';
import { readInput } from '../../read-input.ts';
import { MAX_KEYWORD_CHARS, MAX_KEYWORDS, MAX_PROMPT_CHARS } from '../../schema.ts';
import { formValueReader } from '../form-values.ts';

const RESPONSE_FORMATS = ['json', 'text', 'srt', 'verbose_json', 'vtt', 'diarized_json'] as const;
type ResponseFormat = (typeof RESPONSE_FORMATS)[number];

const GRANULARITIES = ['word', 'segment'] as const;
const MAX_PREFIX_MS = 30_000;

/** OpenAI has it and this service does not: refused by name, never ignored. */
const notHere = z.undefined('is not supported here: leave it out').optional();
const milliseconds = z.number().min(0).max(MAX_PREFIX_MS).optional();

const ServerVad = z.strictObject({
  type: z.literal('server_vad'),
  threshold: z.number().min(0).max(1).optional(),
  prefix_padding_ms: milliseconds,
  silence_duration_ms: milliseconds,
});

const common = {
  model: z.string().min(1).max(200),
  prompt: z.string().max(MAX_PROMPT_CHARS).optional(),
  temperature: z.number().min(0).max(1).optional(),
};

/** The form of `/v1/audio/transcriptions`, without its file. */
export const TranscriptionRequest = z
  .strictObject({
    ...common,
    language: z.string().optional(),
    languages: z.array(z.string()).optional(),
    keywords: z.array(z.string().max(MAX_KEYWORD_CHARS)).max(MAX_KEYWORDS).optional(),
    response_format: z.enum(RESPONSE_FORMATS).default('json'),
    timestamp_granularities: z.array(z.enum(GRANULARITIES)).default(['segment']),
    stream: z.boolean().default(false),
    /** Not OpenAI's: each channel by itself, as other services call it. */
    multichannel: z.boolean().default(false),
    chunking_strategy: z.union([z.literal('auto'), ServerVad]).optional(),
    include: notHere,
    known_speaker_names: notHere,
    known_speaker_references: notHere,
  })
  .superRefine(({ timestamp_granularities, response_format }, context) => {
    if (!timestamp_granularities.includes('word') || response_format === 'verbose_json') return;
    const message = 'words are in verbose_json only';
    context.addIssue({ code: 'custom', path: ['timestamp_granularities'], message });
  });

/** The form of `/v1/audio/translations`, without its file. */
export const TranslationRequest = z.strictObject({
  ...common,
  response_format: z.enum(RESPONSE_FORMATS).exclude(['diarized_json']).default('json'),
});

export type OpenAiTask = 'transcribe' | 'translate';

/** One request of either kind, with the job that it asks for. */
export interface OpenAiRequest {
  readonly task: OpenAiTask;
  readonly model: string;
  readonly format: ResponseFormat;
  readonly isStreamed: boolean;
  readonly wantsWords: boolean;
  readonly wantsSegments: boolean;
  readonly input: Readonly<Record<string, unknown>>;
}

const readTranscription = formValueReader(TranscriptionRequest);
const readTranslation = formValueReader(TranslationRequest);

type Fields = ReadonlyMap<string, readonly unknown[]>;

/** @throws {SttError} INPUT_INVALID naming every bad field, never a value. */
export function parseOpenAiRequest(task: OpenAiTask, fields: Fields): OpenAiRequest {
  return task === 'translate' ? translationOf(fields) : transcriptionOf(fields);
}

function transcriptionOf(fields: Fields): OpenAiRequest {
  const form = readInput(TranscriptionRequest, withNested(readTranscription(fields)));
  const format = form.response_format;
  const wantsWords = form.timestamp_granularities.includes('word');
  return {
    task: 'transcribe',
    model: form.model,
    format,
    isStreamed: form.stream,
    wantsWords,
    wantsSegments: form.timestamp_granularities.includes('segment'),
    input: {
      ...inputOf(form, format),
      task: 'transcribe',
      language: form.language,
      languages: form.languages,
      keywords: form.keywords,
      diarize: format === 'diarized_json',
      word_timestamps: wantsWords || ['srt', 'vtt', 'diarized_json'].includes(format),
      vad: vadOf(form.chunking_strategy),
      channels: form.multichannel ? 'separate' : 'mix',
    },
  };
}

function translationOf(fields: Fields): OpenAiRequest {
  const form = readInput(TranslationRequest, readTranslation(fields));
  const format = form.response_format;
  return {
    task: 'translate',
    model: form.model,
    format,
    isStreamed: false,
    wantsWords: false,
    wantsSegments: true,
    input: {
      ...inputOf(form, format),
      task: 'translate',
      diarize: false,
      word_timestamps: false,
    },
  };
}

/** At 0 OpenAI raises the temperature by itself where the text is unlikely; so does our default. */
const inputOf = (
  {
    prompt,
    temperature,
  }: { readonly prompt?: string | undefined; readonly temperature?: number | undefined },
  format: ResponseFormat,
) => ({
  initial_prompt: prompt,
  temperature: temperature === 0 ? undefined : temperature,
  output_format: jobFormatOf(format),
});

const jobFormatOf = (format: ResponseFormat) => {
  if (format === 'verbose_json') return 'verbose';
  return format === 'srt' || format === 'vtt' ? format : 'json';
};

function vadOf(strategy: z.output<typeof TranscriptionRequest>['chunking_strategy']) {
  if (strategy === undefined || strategy === 'auto') return undefined;
  return {
    onset_threshold: strategy.threshold,
    speech_pad_ms: strategy.prefix_padding_ms,
    min_silence_ms: strategy.silence_duration_ms,
  };
}

/** SDKs write an object as `chunking_strategy[type]`, `chunking_strategy[threshold]`, … */
function withNested(form: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  const nested: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(form)) {
    const key = /^chunking_strategy\[(\w+)\]$/.exec(name)?.[1];
    if (key === undefined) flat[name] = value;
    else nested[key] = value;
  }
  if (Object.keys(nested).length > 0) flat['chunking_strategy'] = nested;
  return flat;
}
