import { SttError } from '../core/errors.ts';
import type { Recognition, Segment, SpeechRecognizer } from './contracts.ts';
import { dropSilencePhrases, type GuardCounts } from './hallucinations.ts';
import type { WindowAudio } from './loudness.ts';
import type { TranscribeOptions } from './options.ts';
import {
  type Attempt,
  bestAttempt,
  compressionRatio,
  isRepetitive,
  isSilence,
  needsFallback,
} from './quality.ts';
import { withoutLoop } from './repetition-loop.ts';
import { toSegments } from './segments.ts';

export interface ChunkResult {
  /** Empty when the recogniser heard no speech. */
  readonly segments: readonly Segment[];
  readonly isSilent: boolean;
  readonly language: string;
  readonly languageProbability: number;
  /** Of the attempt that was taken. */
  readonly temperature: number;
  /** Whether it passed the quality checks. */
  readonly isAccepted: boolean;
  /** Decodings it took; above 1 the first ones failed the quality checks. */
  readonly attemptCount: number;
  /** What the guards took away. */
  readonly guarded: GuardCounts;
}

/** What decides how a chunk is recognised; `TranscribeOptions` with language and prompt of this chunk. */
export type ChunkOptions = Pick<
  TranscribeOptions,
  | 'task'
  | 'language'
  | 'multilingual'
  | 'prompt'
  | 'rules'
  | 'scheduling'
  | 'guards'
  | 'temperatures'
  | 'compressionRatioThreshold'
  | 'avgLogProbThreshold'
  | 'noSpeechThreshold'
  | 'wordTimes'
>;

/**
 * Recognises one chunk with OpenAI's temperature fallback: temperatures in order until a result
 * passes, else the best of all. A language detected at the first attempt holds for the others.
 */
export async function recognizeChunk(
  chunk: WindowAudio,
  chunkOptions: ChunkOptions,
  recognizer: SpeechRecognizer,
  signal: AbortSignal,
): Promise<ChunkResult> {
  const options = withGuardedThresholds(chunkOptions);
  const attempts = await attemptAll(chunk, options, recognizer, signal);
  const last = attempts.at(-1)!;
  const isPoor = needsFallback(last, options);
  const chosen = isPoor ? bestAttempt(attempts, options) : last;
  const { language, languageProbability } = attempts[0].recognition;
  const isSilent = isSilence(chosen.recognition, options);
  return {
    ...(isSilent ? silent(chosen) : guardedSegments(chosen, chunk, options, recognizer)),
    isSilent,
    language,
    languageProbability,
    temperature: chosen.temperature,
    isAccepted: !isPoor,
    attemptCount: attempts.length,
  };
}

/** No probability is above 1: without the guard nothing counts as silence. */
const withGuardedThresholds = (options: ChunkOptions): ChunkOptions =>
  options.guards.silentWindows ? options : { ...options, noSpeechThreshold: 1 };

const silent = ({ text }: Attempt): Pick<ChunkResult, 'segments' | 'guarded'> => ({
  segments: [],
  guarded: { silencePhrases: 0, repetitionLoops: 0, silentWindows: text === '' ? 0 : 1 },
});

function guardedSegments(
  attempt: Attempt,
  chunk: WindowAudio,
  options: ChunkOptions,
  recognizer: SpeechRecognizer,
): Pick<ChunkResult, 'segments' | 'guarded'> {
  const { guards, multilingual, noSpeechThreshold } = options;
  const mayLoop = guards.repetitionLoops && isRepetitive(attempt, options);
  const recognition = mayLoop ? withoutLoop(attempt.recognition) : attempt.recognition;
  const all = toSegments({ ...attempt, recognition }, chunk.pieces, recognizer);
  const kept = guards.silencePhrases ? dropSilencePhrases(all, noSpeechThreshold, chunk) : all;
  const { language } = recognition;
  return {
    segments: multilingual ? kept.map((segment) => ({ ...segment, language })) : kept,
    guarded: {
      silencePhrases: all.length - kept.length,
      repetitionLoops: recognition === attempt.recognition ? 0 : 1,
      silentWindows: 0,
    },
  };
}

/** All attempts that were needed; only the last can have passed. */
async function attemptAll(
  { waveform }: WindowAudio,
  options: ChunkOptions,
  recognizer: SpeechRecognizer,
  signal: AbortSignal,
): Promise<[Attempt, ...Attempt[]]> {
  const attempts: Attempt[] = [];
  const { task, prompt, rules, scheduling, wordTimes } = options;
  const always = { waveform, task, prompt, rules, scheduling, attention: wordTimes };
  let { language } = options;
  for (const temperature of options.temperatures) {
    signal.throwIfAborted();
    const request = { ...always, language, timestamps: true, temperature };
    const recognition = await recognizer.recognize(request, signal);
    language = recognition.language;
    const attempt = toAttempt(recognition, temperature, recognizer);
    attempts.push(attempt);
    if (!needsFallback(attempt, options)) break;
  }
  const [first, ...others] = attempts;
  if (!first) throw new SttError('INPUT_INVALID', 'Expected at least one temperature, found none');
  return [first, ...others];
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
