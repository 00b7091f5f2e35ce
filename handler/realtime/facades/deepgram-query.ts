import { z } from 'zod';
import { SttError } from '../../../core/errors.ts';
import type { SpokenLanguage } from '../../../core/languages.ts';
import { candidatesField, languageField, refuseConflict } from '../../languages.ts';
import { readInput } from '../../read-input.ts';
import type { IncomingFormat } from './incoming-audio.ts';

const ENCODINGS = {
  linear16: 'pcm16',
  linear32: 'float32',
  mulaw: 'mulaw',
  alaw: 'alaw',
  opus: 'ogg',
  'ogg-opus': 'ogg',
  flac: 'flac',
} as const;

const MAX_CHANNELS = 8;

const switchedOff = z.literal(false, { error: 'not available on live audio' });
const whole = (min: number, max: number) => z.number().int().min(min).max(max);

const Language = z
  .string()
  .optional()
  .transform((text) => (text === 'multi' ? null : text))
  .pipe(languageField);

/** Candidates, repeated; `true` is every language, and without a given one so is `false`. */
const Detected = z
  .union([z.string(), z.array(z.string())])
  .optional()
  .transform((asked = []): string[] | null | undefined =>
    [asked].flat().map((text) => (['true', 'false'].includes(text) ? 'auto' : text)),
  )
  .pipe(candidatesField);

/** What changes the result is honoured or refused; the rest may be anything. */
const QuerySchema = z
  .object({
    model: z.string().max(128).optional(),
    language: Language,
    detect_language: Detected,
    encoding: z
      .enum(['linear16', 'linear32', 'mulaw', 'alaw', 'opus', 'ogg-opus', 'flac'])
      .optional(),
    sample_rate: whole(8000, 192_000).optional(),
    channels: whole(1, MAX_CHANNELS).default(1),
    interim_results: z.boolean().default(false),
    vad_events: z.boolean().default(false),
    endpointing: z.union([whole(0, 60_000), z.boolean()]).default(true),
    utterance_end_ms: whole(1000, 60_000).optional(),
    multichannel: switchedOff.optional(),
    diarize: switchedOff.optional(),
    redact: switchedOff.optional(),
    profanity_filter: switchedOff.optional(),
    detect_entities: switchedOff.optional(),
    callback: z.never({ error: 'not available' }).optional(),
    replace: z.never({ error: 'not available' }).optional(),
    search: z.never({ error: 'not available' }).optional(),
  })
  .superRefine(({ language, detect_language: languages }, context) =>
    refuseConflict({ language, languages }, context, 'detect_language'),
  );

/** What a client of `/v1/listen` asks for. */
export interface ListenSettings {
  readonly language: SpokenLanguage | null;
  /** Those that may be spoken; none: all. */
  readonly languages: readonly SpokenLanguage[];
  readonly format: IncomingFormat;
  readonly hasInterimResults: boolean;
  readonly hasVadEvents: boolean;
  /** Whether `speech_final` is ever true. */
  readonly hasEndpointing: boolean;
  readonly endSilenceMs: number | undefined;
  readonly utteranceEndSec: number | undefined;
  readonly requestId: string;
  readonly model: string;
}

/** @throws {SttError} INPUT_INVALID naming the option. */
export function listenSettingsOf(
  query: unknown,
  { requestId, model }: Pick<ListenSettings, 'requestId' | 'model'>,
): ListenSettings {
  const { encoding, endpointing, utterance_end_ms, ...asked } = readInput(QuerySchema, query);
  if (encoding === 'linear32' && asked.channels > 1) {
    throw new SttError('INPUT_INVALID', 'channels: linear32 must be mono');
  }
  return {
    requestId,
    model,
    language: asked.language,
    languages: asked.detect_language,
    format: {
      encoding: encoding === undefined ? 'auto' : ENCODINGS[encoding],
      sampleRateHz: asked.sample_rate ?? (encoding?.endsWith('law') ? 8000 : 16_000),
      channels: asked.channels,
    },
    hasInterimResults: asked.interim_results,
    hasVadEvents: asked.vad_events,
    hasEndpointing: endpointing !== false,
    endSilenceMs: typeof endpointing === 'number' ? endpointing : undefined,
    utteranceEndSec: utterance_end_ms === undefined ? undefined : utterance_end_ms / 1000,
  };
}
