import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import { describeIssues } from '../input-issues.ts';
import { CHINESE_SCRIPTS, candidatesField, languageField, refuseConflict } from '../languages.ts';

const MAX_ID_CHARS = 256;
const MAX_TOKEN_CHARS = 1024;
const MAX_URL_CHARS = 2048;
const MIN_RATE_HZ = 8000;
const MAX_RATE_HZ = 192_000;

const id = z.string().max(MAX_ID_CHARS);
/** Left out, null and empty mean the same. */
const optionalId = id.nullish().transform((value) => value || null);
const credential = z.string().max(MAX_TOKEN_CHARS).optional();
const count = z.number().int().min(0);

const ClientMessageSchema = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z.literal('start_session'),
      session_id: optionalId,
      tenant_id: optionalId,
      meeting_id: optionalId,
      user_id: optionalId,
      language: languageField,
      languages: candidatesField,
      chinese_script: z.enum(CHINESE_SCRIPTS).nullish(),
      encoding: z.enum(['auto', 'pcm16', 'float32', 'webm', 'ogg', 'wav']).default('auto'),
      sample_rate: z.number().int().min(MIN_RATE_HZ).max(MAX_RATE_HZ).default(16_000),
      webhook_url: z
        .url({ protocol: /^https?$/ })
        .max(MAX_URL_CHARS)
        .nullish(),
      diarize: z.boolean().optional(),
      keep_audio: z.literal(false).optional(),
      token: credential,
    })
    .superRefine(refuseConflict),
  z.strictObject({
    type: z.literal('resume_session'),
    session_id: id.min(1),
    resume_token: z.string().max(MAX_TOKEN_CHARS),
    last_event_seq: count.default(0),
    token: credential,
  }),
  z.strictObject({
    type: z.literal('audio_chunk'),
    audio_data: z.base64(),
    seq: count.optional(),
  }),
  z.strictObject({ type: z.literal('pause') }),
  z.strictObject({ type: z.literal('resume') }),
  z.strictObject({ type: z.literal('finalize') }),
  z.strictObject({ type: z.literal('end_session') }),
  z.strictObject({ type: z.literal('ping') }),
]);

export type ClientMessage = z.output<typeof ClientMessageSchema>;
export type StartMessage = Extract<ClientMessage, { type: 'start_session' }>;
export type ResumeMessage = Extract<ClientMessage, { type: 'resume_session' }>;

/** @throws {SttError} INPUT_INVALID naming what is wrong, never a value. */
export function parseClientMessage(text: string): ClientMessage {
  const parsed = ClientMessageSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new SttError('INPUT_INVALID', describeIssues(parsed.error.issues));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SttError('INPUT_INVALID', 'A text message must be JSON');
  }
}
