import { z } from 'zod';
import { decodeBase64 } from '../../audio/base64.ts';
import { STREAM_CONTAINERS } from '../../audio/ffmpeg-stream.ts';
import { SttError } from '../../core/errors.ts';
import { CHINESE_SCRIPTS, candidatesField, languageField, refuseConflict } from '../languages.ts';
import { readInput } from '../read-input.ts';

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

/** Base64 as clients write it, as bytes. */
export const Base64Audio = z.string().transform((text, context) => {
  try {
    return decodeBase64(text);
  } catch (thrown) {
    context.addIssue({ code: 'custom', message: SttError.from(thrown).message });
    return z.NEVER;
  }
});

/**
 * Only the settings of `start_session` are held to their names: a misspelt one is told before there
 * is any audio. What else a later message carries is ignored, since nothing else depends on it.
 */
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
      encoding: z.enum(['auto', 'pcm16', 'float32', ...STREAM_CONTAINERS]).default('auto'),
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
  z.object({
    type: z.literal('resume_session'),
    session_id: id.min(1),
    resume_token: z.string().max(MAX_TOKEN_CHARS),
    last_event_seq: count.default(0),
    token: credential,
  }),
  z.object({
    type: z.literal('audio_chunk'),
    audio_data: Base64Audio,
    seq: count.min(1).optional(),
  }),
  z.object({ type: z.literal('pause') }),
  z.object({ type: z.literal('resume') }),
  z.object({ type: z.literal('finalize') }),
  z.object({ type: z.literal('end_session') }),
  z.object({ type: z.literal('ping') }),
]);

export type ClientMessage = z.output<typeof ClientMessageSchema>;
export type StartMessage = Extract<ClientMessage, { type: 'start_session' }>;
export type ResumeMessage = Extract<ClientMessage, { type: 'resume_session' }>;

/** @throws {SttError} INPUT_INVALID naming what is wrong, never a value. */
export const parseClientMessage = (text: string): ClientMessage =>
  readInput(ClientMessageSchema, jsonOf(text));

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SttError('INPUT_INVALID', 'A text message must be JSON');
  }
}
