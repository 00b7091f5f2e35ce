import { z } from 'zod';
import { SttError } from '../../../core/errors.ts';
import type { SpokenLanguage } from '../../../core/languages.ts';
import { describeIssues } from '../../input-issues.ts';
import { candidatesField, languageConflict, languageField } from '../../languages.ts';
import type { IncomingFormat } from './incoming-audio.ts';

const DEFAULT_TURN_DETECTION = {
  type: 'server_vad',
  threshold: 0.5,
  prefix_padding_ms: 300,
  silence_duration_ms: 500,
} as const;

const LOG_PROBS = 'item.input_audio_transcription.logprobs';

const milliseconds = z.number().int().min(0).max(60_000);
/** Fields that clients send and that change nothing here. */
const ignored = z.unknown().optional();

const ServerVad = z.object({
  type: z.literal('server_vad').default('server_vad'),
  threshold: z.number().min(0).max(1).default(DEFAULT_TURN_DETECTION.threshold),
  prefix_padding_ms: milliseconds.default(DEFAULT_TURN_DETECTION.prefix_padding_ms),
  silence_duration_ms: milliseconds.default(DEFAULT_TURN_DETECTION.silence_duration_ms),
});
const SemanticVad = z.object({
  type: z.literal('semantic_vad'),
  eagerness: z.enum(['low', 'medium', 'high', 'auto']).default('auto'),
});
const TurnDetection = z.union([SemanticVad, ServerVad]).nullable();

const Transcription = z.strictObject({
  model: z.string().max(128).optional(),
  language: languageField.optional(),
  languages: candidatesField.optional(),
  prompt: ignored,
  keywords: ignored,
  delay: ignored,
});

const Format = z.union([
  z.strictObject({
    type: z.literal('audio/pcm'),
    rate: z.number().int().min(8000).max(192_000).default(24_000),
  }),
  z.strictObject({ type: z.enum(['audio/pcmu', 'audio/pcma']) }),
]);

const SessionSchema = z.strictObject({
  type: z.literal('transcription', { error: 'only transcription sessions are served' }).optional(),
  audio: z
    .strictObject({
      input: z
        .strictObject({
          format: Format.optional(),
          transcription: Transcription.nullish(),
          turn_detection: TurnDetection.optional(),
          noise_reduction: ignored,
        })
        .optional(),
    })
    .optional(),
  include: z.array(z.literal(LOG_PROBS, { error: 'nothing else can be included' })).nullish(),
});

const FORMATS = {
  pcm16: { type: 'audio/pcm', rate: 24_000 },
  g711_ulaw: { type: 'audio/pcmu' },
  g711_alaw: { type: 'audio/pcma' },
} as const;

/** The shape before `session.type`. */
const LegacySessionSchema = z.strictObject({
  input_audio_format: z.enum(['pcm16', 'g711_ulaw', 'g711_alaw']).optional(),
  input_audio_transcription: Transcription.nullish(),
  turn_detection: TurnDetection.optional(),
  input_audio_noise_reduction: ignored,
  include: SessionSchema.shape.include,
});

/** How a transcription session is set, as its client sees it. */
export interface TranscriptionSettings {
  readonly format: z.output<typeof Format>;
  readonly turnDetection: z.output<typeof TurnDetection>;
  readonly language: SpokenLanguage | null;
  readonly languages: readonly SpokenLanguage[];
  /** As the client named it. */
  readonly model: string;
  readonly hasLogProbs: boolean;
}

export const defaultSettings = (model: string): TranscriptionSettings => ({
  format: FORMATS.pcm16,
  turnDetection: DEFAULT_TURN_DETECTION,
  language: null,
  languages: [],
  model,
  hasLogProbs: false,
});

/**
 * The settings after a `session.update` or, of the older shape, a `transcription_session.update`.
 * @throws {SttError} INPUT_INVALID naming the field.
 */
export function updatedSettings(
  before: TranscriptionSettings,
  session: unknown,
  isLegacy: boolean,
): TranscriptionSettings {
  const settings = changedSettings(before, session, isLegacy);
  const conflict = languageConflict(settings);
  if (conflict === undefined) return settings;
  throw new SttError('INPUT_INVALID', `session.languages: ${conflict}`);
}

function changedSettings(
  before: TranscriptionSettings,
  session: unknown,
  isLegacy: boolean,
): TranscriptionSettings {
  if (isLegacy) {
    const legacy = parsed(LegacySessionSchema, session);
    const format = legacy.input_audio_format && FORMATS[legacy.input_audio_format];
    const { input_audio_transcription: transcription, turn_detection, include } = legacy;
    return merged(before, { format, transcription, turn_detection, include });
  }
  const { audio, include } = parsed(SessionSchema, session);
  return merged(before, { ...audio?.input, include });
}

function parsed<Schema extends z.ZodType>(schema: Schema, session: unknown): z.output<Schema> {
  const result = schema.safeParse(session);
  if (result.success) return result.data;
  const message = describeIssues(result.error.issues);
  throw new SttError(
    'INPUT_INVALID',
    message.startsWith('input:') ? message : `session.${message}`,
  );
}

interface Changes {
  readonly format?: TranscriptionSettings['format'] | undefined;
  readonly transcription?: z.output<typeof Transcription> | null | undefined;
  readonly turn_detection?: TranscriptionSettings['turnDetection'] | undefined;
  readonly include?: readonly string[] | null | undefined;
}

const merged = (
  before: TranscriptionSettings,
  { format, transcription, turn_detection, include }: Changes,
): TranscriptionSettings => ({
  format: format ?? before.format,
  turnDetection: turn_detection === undefined ? before.turnDetection : turn_detection,
  language: transcription?.language === undefined ? before.language : transcription.language,
  languages: transcription?.languages ?? before.languages,
  model: transcription?.model ?? before.model,
  hasLogProbs: include === undefined ? before.hasLogProbs : (include ?? []).length > 0,
});

/** Milliseconds of silence that end a turn, by eagerness. */
const EAGERNESS_MS = { low: 1500, medium: 800, auto: 500, high: 300 } as const;

/** What a pause is for these settings. */
export function pauseOf({ turnDetection }: TranscriptionSettings) {
  if (turnDetection === null) return {};
  if (turnDetection.type === 'semantic_vad') {
    return { endSilenceMs: EAGERNESS_MS[turnDetection.eagerness] };
  }
  const { silence_duration_ms: endSilenceMs, threshold } = turnDetection;
  return { endSilenceMs, threshold };
}

export function incomingFormatOf({ format }: TranscriptionSettings): IncomingFormat {
  if (format.type === 'audio/pcm') {
    return { encoding: 'pcm16', sampleRateHz: format.rate, channels: 1 };
  }
  const encoding = format.type === 'audio/pcmu' ? 'mulaw' : 'alaw';
  return { encoding, sampleRateHz: 8000, channels: 1 };
}

/** The settings in the words of the client's own shape. */
export function describeSettings(
  { format, turnDetection, language, languages, model, hasLogProbs }: TranscriptionSettings,
  isLegacy: boolean,
): object {
  const transcription = {
    ...{ model, language: language?.code ?? null, prompt: '' },
    ...(languages.length > 0 && { languages: languages.map(({ code }) => code) }),
  };
  const include = hasLogProbs ? [LOG_PROBS] : null;
  if (!isLegacy) {
    const input = { format, transcription, noise_reduction: null, turn_detection: turnDetection };
    return { type: 'transcription', audio: { input }, include };
  }
  const names = { 'audio/pcm': 'pcm16', 'audio/pcmu': 'g711_ulaw', 'audio/pcma': 'g711_alaw' };
  return {
    input_audio_format: names[format.type],
    input_audio_transcription: transcription,
    input_audio_noise_reduction: null,
    turn_detection: turnDetection,
    include,
  };
}
