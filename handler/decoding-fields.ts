import { z } from 'zod';
import type { DecodingRules } from '../pipeline/contracts.ts';
import { type AskedLanguages, givenLanguage } from './languages.ts';
import { optional, withDefault } from './optional-fields.ts';

const MAX_BEAMS = 8;
const MAX_SAMPLES = 8;
const MAX_PATIENCE = 4;
const MAX_PENALTY = 10;
/** Scores divided by less overflow. */
const MIN_REPETITION_PENALTY = 0.1;
const MAX_NGRAM = 100;
const MAX_TOKEN_ID = 1_000_000;
const MAX_SUPPRESSED = 1000;
const MAX_WINDOWS = 256;
const MAX_DETECTION_CHUNKS = 16;
/** openai-whisper's name for the model's own list. */
const OWN_LIST = -1;

const flag = withDefault(z.boolean(), false);
const guard = withDefault(z.boolean(), true);
const GUARDS_ON = {
  silence_phrases: true,
  repetition_loops: true,
  silent_windows: true,
  padding_text: true,
};

/** The fields of a job that say how text is decoded. */
export const decodingFields = {
  beam_size: optional(z.number().int().min(1).max(MAX_BEAMS)),
  patience: optional(z.number().positive().max(MAX_PATIENCE)),
  length_penalty: optional(z.number().min(0).max(MAX_PENALTY)),
  best_of: optional(z.number().int().min(1).max(MAX_SAMPLES)),
  repetition_penalty: optional(z.number().min(MIN_REPETITION_PENALTY).max(MAX_PENALTY)),
  no_repeat_ngram_size: optional(z.number().int().min(0).max(MAX_NGRAM)),
  suppress_tokens: optional(
    z.array(z.number().int().min(OWN_LIST).max(MAX_TOKEN_ID)).max(MAX_SUPPRESSED),
  ),
  suppress_numerals: flag,
  batch_size: optional(z.number().int().min(1).max(MAX_WINDOWS)),
  condition_on_previous_text: flag,
  multilingual: flag,
  language_detection_chunks: optional(z.number().int().min(1).max(MAX_DETECTION_CHUNKS)),
  hallucination_guards: withDefault(
    z.strictObject({
      silence_phrases: guard,
      repetition_loops: guard,
      silent_windows: guard,
      padding_text: guard,
    }),
    GUARDS_ON,
  ),
};

const DecodingInput = z.object(decodingFields);
export type DecodingInput = z.output<typeof DecodingInput>;

interface Decoding extends DecodingInput, AskedLanguages {
  readonly temperature: number | readonly number[] | null;
}

/** Settings that contradict one another or would be without effect: the field and what is wrong. */
export function decodingProblems(input: Decoding): readonly (readonly [string, string])[] {
  const searches = (input.beam_size ?? 1) > 1;
  const samples = (input.best_of ?? 1) > 1;
  const isGiven = givenLanguage(input) !== null;
  const temperatures = [input.temperature ?? [0, 1]].flat();
  const problems: [boolean, string, string][] = [
    [input.patience !== null && !searches, 'patience', 'needs a beam_size above 1'],
    [
      input.length_penalty !== null && !searches && !samples,
      'length_penalty',
      'needs a beam_size or best_of above 1',
    ],
    [samples && !temperatures.some((value) => value > 0), 'best_of', 'needs a temperature above 0'],
    [searches && !temperatures.includes(0), 'beam_size', 'above 1 needs the temperature 0'],
    [input.multilingual && isGiven, 'multilingual', 'needs language to be left out'],
    [
      input.language_detection_chunks !== null && (isGiven || input.multilingual),
      'language_detection_chunks',
      'needs language and multilingual to be left out',
    ],
  ];
  return problems.filter(([isWrong]) => isWrong).map(([, field, message]) => [field, message]);
}

/** What was set of the rules of decoding; the recogniser has defaults for the rest. */
export function decodingRulesOf(input: DecodingInput): DecodingRules {
  return {
    ...(input.beam_size !== null && { beamSize: input.beam_size }),
    ...(input.patience !== null && { patience: input.patience }),
    ...(input.length_penalty !== null && { lengthPenalty: input.length_penalty }),
    ...(input.best_of !== null && { bestOf: input.best_of }),
    ...(input.repetition_penalty !== null && { repetitionPenalty: input.repetition_penalty }),
    ...(input.no_repeat_ngram_size !== null && { noRepeatNgramSize: input.no_repeat_ngram_size }),
    ...(input.suppress_tokens !== null && { suppressTokens: input.suppress_tokens }),
    ...(input.suppress_numerals && { suppressNumerals: true }),
  };
}
