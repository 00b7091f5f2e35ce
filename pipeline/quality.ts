import { deflateSync } from 'node:zlib';
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
