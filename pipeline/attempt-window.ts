import { msToSamples } from '../audio/time.ts';
import { SttError } from '../core/errors.ts';
import { wordsInSpeech } from './alignment/words-in-speech.ts';
import type { DecodingRules, Recognition, Segment, SpeechRecognizer } from './contracts.ts';
import { dropSilencePhrases, type GuardCounts, NOTHING_GUARDED } from './hallucinations.ts';
import { type ChunkAudio, heardPart, type UnheardPart, unheardPart } from './heard-part.ts';
import type { WindowAudio } from './loudness.ts';
import type { TranscribeOptions } from './options.ts';
import {
  type Attempt,
  bestAttempt,
  betterOf,
  compressionRatio,
  isDoubtful,
  isRepetitive,
  isSilence,
  needsFallback,
  type QualityThresholds,
} from './quality.ts';
import { withoutLoop } from './repetition-loop.ts';
import { toSegments } from './segments.ts';
import { windowSamplesOf } from './time-map.ts';
import { withoutPaddingText } from './token-spans.ts';

export interface WindowResult {
  /** Empty when the recogniser heard no speech. */
  readonly segments: readonly Segment[];
  readonly isSilent: boolean;
  readonly language: string;
  readonly languageProbability: number;
  /** Of the attempt that was taken. */
  readonly temperature: number;
  /** Decodings it took; above 1 the first ones failed the quality checks. */
  readonly attemptCount: number;
  /** What the guards took away. */
  readonly guarded: GuardCounts;
  /** See `Recognition`. */
  readonly droppedPromptTokens: number;
  /** Speech behind the end of the text. */
  readonly unheard: UnheardPart | null;
  /** No attempt passed the quality checks. */
  readonly isUncertain: boolean;
  /** More attempts might find a better text, but were not asked for. */
  readonly isUnfinished: boolean;
}

/** What decides how a chunk is recognised; `TranscribeOptions` with what is known of this chunk. */
export interface ChunkOptions extends ChunkSettings {
  /** What was said before it; empty where nothing is to be gone on from. */
  readonly previousText: string;
  /** The first attempt alone, or those that follow a first one that was doubtful; all by default. */
  readonly attempts?: 'first' | 'others' | undefined;
}

type ChunkSettings = Pick<
  TranscribeOptions,
  | 'task'
  | 'language'
  | 'languages'
  | 'multilingual'
  | 'prompt'
  | 'conditionOnPreviousText'
  | 'rules'
  | 'scheduling'
  | 'guards'
  | 'temperatures'
  | 'compressionRatioThreshold'
  | 'avgLogProbThreshold'
  | 'noSpeechThreshold'
  | 'wordTimes'
  | 'vad'
>;

/**
 * Recognises one window with OpenAI's temperature fallback: temperatures in order until a result
 * passes, else the best of all. Where the recogniser can search with beams, a doubtful greedy text is
 * followed by a search. A language detected at the first attempt holds for the others.
 */
export async function attemptWindow(
  chunk: ChunkAudio,
  options: ChunkOptions,
  recognizer: SpeechRecognizer,
  signal: AbortSignal,
): Promise<WindowResult> {
  const thresholds = thresholdsOf(options);
  const { attempts, isUnfinished } = await attemptAll(chunk, options, recognizer, signal);
  const passed = attempts.filter((attempt) => !needsFallback(attempt, thresholds));
  const isUncertain = passed.length === 0;
  const chosen = isUncertain ? bestAttempt(attempts, thresholds) : passed.reduce(betterOf);
  const { language, languageProbability, droppedPromptTokens = 0 } = attempts[0].recognition;
  const isSilent = isSilence(chosen.recognition, thresholds);
  return {
    ...(isSilent ? silent(chosen) : guardedSegments(chosen, chunk, options, recognizer)),
    isSilent,
    isUncertain,
    isUnfinished,
    language,
    languageProbability,
    droppedPromptTokens,
    temperature: chosen.temperature,
    attemptCount: attempts.length,
  };
}

/** No probability is above 1: without the guard no window counts as silence. */
const thresholdsOf = (options: ChunkOptions): QualityThresholds =>
  options.guards.silentWindows ? options : { ...options, noSpeechThreshold: 1 };

type GuardedText = Pick<WindowResult, 'segments' | 'guarded' | 'unheard'>;

const silent = ({ text }: Attempt): GuardedText => ({
  segments: [],
  guarded: { ...NOTHING_GUARDED, silentWindows: text === '' ? 0 : 1 },
  unheard: null,
});

function guardedSegments(
  attempt: Attempt,
  chunk: ChunkAudio,
  options: ChunkOptions,
  recognizer: SpeechRecognizer,
): GuardedText {
  const { guards, multilingual, noSpeechThreshold } = options;
  const windowSamples = windowSamplesOf(chunk.pieces);
  const mayLoop = guards.repetitionLoops && isRepetitive(attempt, options);
  const looped = mayLoop ? withoutLoop(attempt.recognition) : attempt.recognition;
  const inside = guards.paddingText ? withoutPaddingText(looped, windowSamples) : looped;
  const heard = heardPart(inside, windowSamples);
  const { recognition } = heard;
  const placed = toSegments({ ...attempt, recognition }, chunk.pieces, recognizer);
  const all = wordsInSpeech(placed, { ...chunk, padSamples: msToSamples(options.vad.speechPadMs) });
  const kept = guards.silencePhrases ? dropSilencePhrases(all, noSpeechThreshold, chunk) : all;
  const { language } = recognition;
  return {
    segments: multilingual ? kept.map((segment) => ({ ...segment, language })) : kept,
    guarded: {
      silencePhrases: all.length - kept.length,
      repetitionLoops: looped === attempt.recognition ? 0 : 1,
      silentWindows: 0,
      paddingText: inside === looped ? 0 : 1,
    },
    unheard: unheardPart(chunk, heard),
  };
}

interface Attempts {
  readonly attempts: readonly [Attempt, ...Attempt[]];
  readonly isUnfinished: boolean;
}

/** All attempts that were needed. */
async function attemptAll(
  { waveform }: WindowAudio,
  options: ChunkOptions,
  recognizer: SpeechRecognizer,
  signal: AbortSignal,
): Promise<Attempts> {
  const attempts: Attempt[] = [];
  const { task, languages, prompt, previousText, scheduling, wordTimes } = options;
  const text = { prompt, ...(previousText !== '' && { previousText }) };
  const always = { waveform, task, languages, ...text, scheduling, attention: wordTimes };
  const thresholds = thresholdsOf(options);
  let { language } = options;
  const plan = attemptPlan(options, recognizer, waveform.length);
  const asked = options.attempts === 'first' ? plan.slice(0, 1) : plan;
  let isUnfinished = false;
  for (const { temperature, rules, isLast } of asked) {
    signal.throwIfAborted();
    const request = { ...always, rules, language, timestamps: true, temperature };
    const recognition = await recognizer.recognize(request, signal);
    language = recognition.language;
    const attempt = toAttempt(recognition, temperature, recognizer);
    attempts.push(attempt);
    if (isLast(attempt, thresholds)) break;
    isUnfinished = asked.length < plan.length;
  }
  const [first, ...others] = attempts;
  if (!first) throw new SttError('INPUT_INVALID', 'Expected at least one temperature, found none');
  return { attempts: [first, ...others], isUnfinished };
}

interface PlannedAttempt {
  readonly temperature: number;
  readonly rules: DecodingRules;
  isLast(attempt: Attempt, thresholds: QualityThresholds): boolean;
}

/** Greedy, with beams where the recogniser has them and the job does not say how many, and tempered. */
function attemptPlan(
  { temperatures, rules, attempts }: ChunkOptions,
  { retryBeamSize = 1 }: SpeechRecognizer,
  windowSamples: number,
): readonly PlannedAttempt[] {
  const passes: PlannedAttempt['isLast'] = (attempt, limits) => !needsFallback(attempt, limits);
  const plan = temperatures.map((temperature) => ({ temperature, rules, isLast: passes }));
  const isSearched = temperatures[0] === 0 && retryBeamSize > 1 && rules.beamSize === undefined;
  if (isSearched) {
    const isCertain: PlannedAttempt['isLast'] = (attempt, limits) =>
      passes(attempt, limits) && !isDoubtful(attempt, windowSamples);
    const beams = { ...rules, beamSize: retryBeamSize };
    plan[0] = { ...plan[0]!, isLast: isCertain };
    plan.splice(1, 0, { temperature: 0, rules: beams, isLast: passes });
  }
  return attempts === 'others' && plan.length > 1 ? plan.slice(1) : plan;
}

function toAttempt(
  recognition: Recognition,
  temperature: number,
  recognizer: SpeechRecognizer,
): Attempt {
  const tokenIds = recognition.tokens.flatMap((token) => (token.kind === 'text' ? token.id : []));
  const text = recognizer.textOf(tokenIds).trim();
  return { recognition, text, temperature, compressionRatio: compressionRatio(text) };
}
