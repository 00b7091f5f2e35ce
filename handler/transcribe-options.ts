import { SttError } from '../core/errors.ts';
import { mostRowsOf } from '../pipeline/decode-cost.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS, type TranscribeOptions } from '../pipeline/options.ts';
import { decodingRulesOf } from './decoding-fields.ts';
import { givenLanguage } from './languages.ts';
import type { JobInput } from './schema.ts';

/** The floor of silero-vad: below it speech would never end. */
const MIN_OFFSET_THRESHOLD = 0.01;

/** What the pipeline is asked; every setting that was left out has the pipeline's default. */
export function toTranscribeOptions(input: JobInput): TranscribeOptions {
  const defaults = DEFAULT_TRANSCRIBE_OPTIONS;
  return {
    task: input.task,
    language: givenLanguage(input)?.code ?? null,
    languages: input.languages.map(({ code }) => code),
    languageDetectionChunks: input.language_detection_chunks ?? defaults.languageDetectionChunks,
    multilingual: input.multilingual,
    prompt: promptOf(input),
    conditionOnPreviousText: input.condition_on_previous_text,
    rules: decodingRulesOf(input),
    maxWindowsInFlight: input.batch_size,
    scheduling: { priority: 'file', tenant: input.tenant_id },
    guards: guardsOf(input),
    temperatures: temperaturesOf(input.temperature) ?? defaults.temperatures,
    compressionRatioThreshold:
      input.compression_ratio_threshold ?? defaults.compressionRatioThreshold,
    avgLogProbThreshold: input.log_prob_threshold ?? defaults.avgLogProbThreshold,
    noSpeechThreshold: input.no_speech_threshold ?? defaults.noSpeechThreshold,
    maxChunkSec: defaults.maxChunkSec,
    maxPauseSec: secOf(input.vad?.max_pause_ms ?? null) ?? defaults.maxPauseSec,
    wordTimes: input.word_timestamps,
    vad: vadOptionsOf(input.vad),
  };
}

/**
 * Audio is counted by the minute, and beams and samples multiply what a minute costs.
 * @throws {SttError} DECODE_COST_EXCEEDED where a window may take more rows than `most`.
 */
export function assertDecodeCost(
  { rules, temperatures }: Pick<TranscribeOptions, 'rules' | 'temperatures'>,
  most: number,
): void {
  const cost = mostRowsOf(rules, temperatures);
  if (cost <= most) return;
  const parts = 'beam_size, best_of and temperature';
  const message = `${parts} together cost ${cost} rows a window, ${most} are allowed`;
  throw new SttError('DECODE_COST_EXCEEDED', message);
}

/**
 * Keywords come after the prompt, as a sentence: what stands nearest to the speech weighs most, and
 * a text that does not end leads the model to go on with it.
 */
function promptOf({ initial_prompt, keywords }: JobInput): string | null {
  const words = keywords.map((keyword) => keyword.trim()).filter((keyword) => keyword !== '');
  const sentence = words.length === 0 ? '' : `${words.join(', ')}.`;
  return [initial_prompt ?? '', sentence].filter((part) => part !== '').join(' ') || null;
}

function guardsOf({ hallucination_guards: guards }: JobInput): TranscribeOptions['guards'] {
  return {
    silencePhrases: guards.silence_phrases,
    repetitionLoops: guards.repetition_loops,
    silentWindows: guards.silent_windows,
    paddingText: guards.padding_text,
  };
}

const secOf = (ms: number | null): number | null => (ms === null ? null : ms / 1000);

/** A single temperature is tried alone: no fallback to others. */
const temperaturesOf = (value: JobInput['temperature']): readonly number[] | null =>
  typeof value === 'number' ? [value] : value;

/** An offset that was left out follows the onset at the usual distance, as silero-vad does it. */
function vadOptionsOf(vad: JobInput['vad']): TranscribeOptions['vad'] {
  const defaults = DEFAULT_TRANSCRIBE_OPTIONS.vad;
  const onsetThreshold = vad?.onset_threshold ?? defaults.onsetThreshold;
  return {
    onsetThreshold,
    offsetThreshold: vad?.offset_threshold ?? offsetBelow(onsetThreshold),
    minSpeechMs: vad?.min_speech_ms ?? defaults.minSpeechMs,
    minSilenceMs: vad?.min_silence_ms ?? defaults.minSilenceMs,
    speechPadMs: vad?.speech_pad_ms ?? defaults.speechPadMs,
  };
}

function offsetBelow(onsetThreshold: number): number {
  const defaults = DEFAULT_TRANSCRIBE_OPTIONS.vad;
  const distance = defaults.onsetThreshold - defaults.offsetThreshold;
  return Math.min(onsetThreshold, Math.max(MIN_OFFSET_THRESHOLD, onsetThreshold - distance));
}
