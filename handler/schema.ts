import { z } from 'zod';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../pipeline/options.ts';
import { decodingFields, decodingProblems } from './decoding-fields.ts';
import { assertJsonValue, JOB_JSON } from './json-limits.ts';
import { KnownSpeakers } from './known-speakers.ts';
import { CHINESE_SCRIPTS, candidatesField, languageField, refuseConflict } from './languages.ts';
import { optional, withDefault } from './optional-fields.ts';
import { readInput } from './read-input.ts';
import { SubtitleInput } from './subtitle-options.ts';

const MAX_ID_CHARS = 256;
export const MAX_PROMPT_CHARS = 4000;
export const MAX_KEYWORDS = 500;
export const MAX_KEYWORD_CHARS = 100;
const MAX_TEMPERATURES = 10;
const MAX_SPEAKERS = 64;
const MAX_VAD_MS = 30_000;

export const OUTPUT_FORMATS = [
  'json',
  'verbose',
  'verbose_json',
  'text',
  'srt',
  'vtt',
  'tsv',
  'rttm',
  'ctm',
] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** As `optional`, and an empty text means the same too. */
const optionalText = (maxChars: number) =>
  optional(z.string().max(maxChars)).transform((text) => text || null);

const id = optionalText(MAX_ID_CHARS);
const probability = optional(z.number().min(0).max(1));
const durationMs = optional(z.number().min(0).max(MAX_VAD_MS));
const speakerCount = optional(z.number().int().min(1).max(MAX_SPEAKERS));
/** Below it a sampled token is the likeliest one, and the scores divided by it overflow. */
const MIN_TEMPERATURE = 0.01;
const temperature = z.union([z.literal(0), z.number().min(MIN_TEMPERATURE).max(1)]);
const source = optional(z.string()).transform((text) => text || null);

const VadInput = z.strictObject({
  onset_threshold: probability,
  offset_threshold: probability,
  min_speech_ms: durationMs,
  min_silence_ms: durationMs,
  speech_pad_ms: durationMs,
  max_pause_ms: durationMs,
});

const flag = optional(z.boolean());

const PostprocessInput = z.strictObject({
  repair_spacing: flag,
  attach_particles: flag,
  split_sentences: flag,
  numbers: optional(z.enum(['keep', 'digits', 'words'])),
  remove_fillers: flag,
  collapse_repeats: flag,
  punctuate: flag,
  correct_keywords: flag,
  chinese_script: optional(z.enum(CHINESE_SCRIPTS)),
});

/** The `input` of a job: `docs/` and README explain each field to its users. */
export const JobInputSchema = z
  .strictObject({
    task: withDefault(z.enum(['transcribe', 'translate']), 'transcribe'),
    audio_url: source,
    audio_base64: source,
    meeting_id: id,
    tenant_id: id,
    user_id: id,
    max_audio_mb: optional(z.number().positive()),
    language: languageField,
    languages: candidatesField,
    initial_prompt: optionalText(MAX_PROMPT_CHARS),
    keywords: withDefault(z.array(z.string().max(MAX_KEYWORD_CHARS)).max(MAX_KEYWORDS), []),
    temperature: optional(
      z.union([temperature, z.array(temperature).min(1).max(MAX_TEMPERATURES)], {
        error: `expected 0, a number from ${MIN_TEMPERATURE} to 1, or a list of 1 to ${MAX_TEMPERATURES} of them`,
      }),
    ),
    output_format: withDefault(z.enum(OUTPUT_FORMATS), 'json'),
    subtitle: optional(SubtitleInput),
    vad: optional(VadInput),
    compression_ratio_threshold: optional(z.number().positive()),
    log_prob_threshold: optional(z.number().max(0)),
    no_speech_threshold: probability,
    diarize: withDefault(z.boolean(), true),
    num_speakers: speakerCount,
    min_speakers: speakerCount,
    max_speakers: speakerCount,
    known_speakers: KnownSpeakers,
    return_speaker_embeddings: withDefault(z.boolean(), false),
    word_timestamps: withDefault(z.boolean(), true),
    alignment: withDefault(z.enum(['auto', 'ctc', 'attention']), 'auto'),
    ...decodingFields,
    postprocess: optional(PostprocessInput),
  })
  .superRefine((input, context) => {
    const fail = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    const { audio_url, audio_base64, min_speakers, max_speakers, num_speakers, vad } = input;
    if (audio_url === null && audio_base64 === null) {
      fail('audio_url', 'no audio: give one of audio_url and audio_base64');
    } else if (audio_url !== null && audio_base64 !== null) {
      fail('audio_url', 'two sources: give one of audio_url and audio_base64, not both');
    }
    const fewest = min_speakers ?? 1;
    const most = max_speakers ?? MAX_SPEAKERS;
    if (fewest > most) fail('min_speakers', 'must not be above max_speakers');
    else if (num_speakers !== null && (num_speakers < fewest || num_speakers > most)) {
      fail('num_speakers', 'must lie between min_speakers and max_speakers');
    }
    const { output_format, subtitle } = input;
    if (subtitle !== null && output_format !== 'srt' && output_format !== 'vtt') {
      fail('subtitle', 'needs the output_format srt or vtt');
    } else if (subtitle?.word_cues && output_format !== 'vtt') {
      fail('subtitle.word_cues', 'needs the output_format vtt');
    }
    if (!input.diarize && asksForSpeakers(input)) {
      fail('diarize', 'must not be false beside settings of speakers or the output_format rttm');
    }
    refuseConflict(input, context);
    for (const [field, message] of decodingProblems(input)) fail(field, message);
    const onset = vad?.onset_threshold ?? DEFAULT_TRANSCRIBE_OPTIONS.vad.onsetThreshold;
    if ((vad?.offset_threshold ?? 0) > onset) {
      fail('vad.offset_threshold', 'must not be above onset_threshold (0.5 unless set)');
    }
  });

const asksForSpeakers = (input: {
  readonly output_format: OutputFormat;
  readonly num_speakers: number | null;
  readonly min_speakers: number | null;
  readonly max_speakers: number | null;
  readonly known_speakers: ReadonlyMap<string, unknown>;
  readonly return_speaker_embeddings: boolean;
}): boolean =>
  [input.num_speakers, input.min_speakers, input.max_speakers].some((count) => count !== null) ||
  input.output_format === 'rttm' ||
  input.known_speakers.size > 0 ||
  input.return_speaker_embeddings;

export type JobInput = z.output<typeof JobInputSchema>;

/**
 * The validated input of a job.
 * @throws {SttError} INPUT_INVALID naming ten bad fields and what was expected, never a value;
 * REQUEST_TOO_LARGE
 */
export function parseJobInput(rawInput: unknown): JobInput {
  assertJsonValue(rawInput, JOB_JSON);
  return readInput(JobInputSchema, rawInput);
}
