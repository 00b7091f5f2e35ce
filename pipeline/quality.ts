import { deflateSync } from 'node:zlib';
import { secToSamples } from '../audio/time.ts';
import type { Recognition } from './contracts.ts';

/** Limits of OpenAI's decoder; `TranscribeOptions` holds them. */
export interface QualityThresholds {
  readonly compressionRatioThreshold: number;
  readonly avgLogProbThreshold: number;
  readonly noSpeechThreshold: number;
}

/** A recognised window with what is needed to judge it. */
export interface Attempt {
  readonly recognition: Recognition;
  readonly text: string;
  readonly temperature: number;
  readonly compressionRatio: number;
}

/** UTF-8 bytes over their zlib-compressed length (Python's default level); repetition raises it. */
export function compressionRatio(text: string): number {
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length / deflateSync(bytes).length;
}

/** No speech, by the model's own doubt and by its poor guess: such a window has no segments. */
export function isSilence(recognition: Recognition, thresholds: QualityThresholds): boolean {
  return (
    recognition.noSpeechProb > thresholds.noSpeechThreshold &&
    recognition.avgLogProb < thresholds.avgLogProbThreshold
  );
}

/** Whether the text goes round in circles. */
export const isRepetitive = (
  { recognition, compressionRatio: ratio }: Attempt,
  { compressionRatioThreshold }: Pick<QualityThresholds, 'compressionRatioThreshold'>,
): boolean => ratio > compressionRatioThreshold || recognition.stoppedBy === 'loop';

/** Whether a window should be decoded again at a higher temperature, by OpenAI's rules or as a loop was cut short. */
export function needsFallback(attempt: Attempt, thresholds: QualityThresholds): boolean {
  if (isSilence(attempt.recognition, thresholds)) return false;
  return (
    isRepetitive(attempt, thresholds) ||
    attempt.recognition.avgLogProb < thresholds.avgLogProbThreshold
  );
}

/**
 * Mean log-probabilities below which a greedy text is worth a beam search. With Whisper base on 36 Korean
 * utterances a search below −0.7 takes the characters that are wrong from 12.7 to 11.7 %, one below −0.3
 * to 11.3 %. What it costs grows with the text: little beside the encoder for an utterance, 2.4 times
 * everything for full windows of far-field meetings, which stay as they are down to −0.7.
 */
const DOUBTFUL_LOG_PROB = { utterance: -0.3, longer: -0.7 } as const;
const LONGEST_UTTERANCE = secToSamples(12);
/** The greedy decode and the beam search compute in different precision, and so do their scores. */
const SCORE_TOLERANCE = 0.1;

/** Whether a beam search may find a better text than a greedy decode that passed the quality checks. */
export function isDoubtful({ recognition }: Attempt, windowSamples: number): boolean {
  const { utterance, longer } = DOUBTFUL_LOG_PROB;
  const limit = windowSamples <= LONGEST_UTTERANCE ? utterance : longer;
  return recognition.tokens.length > 0 && recognition.avgLogProb < limit;
}

/** Of a greedy decode and a beam search of the same window that both passed the quality checks. */
export const betterOf = (greedy: Attempt, searched: Attempt): Attempt =>
  searched.recognition.avgLogProb > greedy.recognition.avgLogProb - SCORE_TOLERANCE
    ? searched
    : greedy;

/** Of attempts that all failed: the likeliest that does not repeat itself, else the likeliest. */
export function bestAttempt(
  attempts: readonly [Attempt, ...Attempt[]],
  thresholds: QualityThresholds,
): Attempt {
  return attempts.reduce((best, attempt) => {
    const isBestRepetitive = isRepetitive(best, thresholds);
    if (isBestRepetitive !== isRepetitive(attempt, thresholds)) {
      return isBestRepetitive ? attempt : best;
    }
    return attempt.recognition.avgLogProb > best.recognition.avgLogProb ? attempt : best;
  });
}
