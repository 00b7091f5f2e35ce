import { z } from 'zod';
import { assertJsonValue, JOB_JSON } from '../json-limits.ts';
import { candidatesField, languageField } from '../languages.ts';
import { readInput } from '../read-input.ts';

const MAX_ID_CHARS = 256;
const MAX_PROMPT_CHARS = 4000;
/** A window of 30 s at 48 kHz in base64, with room. */
const MAX_AUDIO_CHARS = 8 * 1024 * 1024;
const MAX_SESSION_SEC = 7 * 24 * 3600;

const id = z.string().min(1).max(MAX_ID_CHARS);
const count = z.number().int().min(0);

const StreamInputSchema = z.strictObject({
  task: z.literal('stream'),
  session_id: id,
  epoch: count,
  seq: count,
  audio_base64: z.string().min(1).max(MAX_AUDIO_CHARS),
  /** `auto`: a container such as WAV, Ogg or WebM; `pcm16`: 16 kHz mono samples without a header. */
  audio_encoding: z.enum(['auto', 'pcm16']).default('auto'),
  window_start: z.number().min(0).max(MAX_SESSION_SEC),
  language: languageField,
  languages: candidatesField,
  prompt: z
    .string()
    .max(MAX_PROMPT_CHARS)
    .nullish()
    .transform((prompt) => prompt ?? ''),
  final: z.boolean().default(false),
  /** Whether the voice at the window's end is wanted too. */
  diarize: z.boolean().default(false),
  tenant_id: id.nullish().transform((tenant) => tenant ?? null),
});

export type StreamInput = z.output<typeof StreamInputSchema>;

/** Whether a job is a window of a live session rather than a recording. */
export const isStreamInput = (rawInput: unknown): boolean =>
  typeof rawInput === 'object' &&
  rawInput !== null &&
  'task' in rawInput &&
  rawInput.task === 'stream';

/** @throws {SttError} INPUT_INVALID naming every bad field and what was expected, never a value. */
export function parseStreamInput(rawInput: unknown): StreamInput {
  assertJsonValue(rawInput, JOB_JSON);
  return readInput(StreamInputSchema, rawInput);
}
