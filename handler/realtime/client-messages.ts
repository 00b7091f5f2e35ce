import { z } from 'zod';
import { decodeBase64 } from '../../audio/base64.ts';
import { STREAM_CONTAINERS } from '../../audio/ffmpeg-stream.ts';
import { SttError } from '../../core/errors.ts';
import { assertJsonText, type JsonLimits } from '../json-limits.ts';
import { CHINESE_SCRIPTS, candidatesField, languageField, refuseConflict } from '../languages.ts';
import { readInput } from '../read-input.ts';

const MAX_ID_CHARS = 256;
const MAX_TOKEN_CHARS = 1024;
const MAX_URL_CHARS = 2048;
/** Of a text message, its audio not counted. */
const MAX_MESSAGE_CHARS = 16 * 1024;
const MESSAGE_JSON: JsonLimits = {
  maxChars: MAX_MESSAGE_CHARS,
  maxMembers: 64,
  maxValues: 256,
  maxDepth: 8,
};
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

/** Reads the messages of one socket, little of them from one that has not said who it is. */
export class MessageReader {
  #isKnown: boolean;
  #unknownChars = 0;

  constructor(isKnown: boolean) {
    this.#isKnown = isKnown;
  }

  /** @throws {SttError} INPUT_INVALID naming what is wrong, never a value; REQUEST_TOO_LARGE. */
  read(text: string): ClientMessage {
    if (!this.#isKnown) this.#unknownChars += text.length;
    if (this.#unknownChars > MAX_MESSAGE_CHARS) {
      const message = `More than ${MAX_MESSAGE_CHARS} characters before a session was started`;
      throw new SttError('REQUEST_TOO_LARGE', message);
    }
    const message = parseClientMessage(text);
    // It has a session now, or else its socket is closed before the next message is read.
    if (message.type === 'start_session' || message.type === 'resume_session') this.#isKnown = true;
    return message;
  }
}

const parseClientMessage = (text: string): ClientMessage =>
  readInput(ClientMessageSchema, messageJsonOf(text));

/**
 * The JSON of a text message of any protocol, counted before it is parsed.
 * @throws {SttError} INPUT_INVALID, REQUEST_TOO_LARGE
 */
export function messageJsonOf(text: string): unknown {
  assertJsonText(text, MESSAGE_JSON);
  try {
    return JSON.parse(text);
  } catch {
    throw new SttError('INPUT_INVALID', 'A text message must be JSON');
  }
}
