import type { Segment, TranscriptWarning } from './contracts.ts';
import { SILENCE_PHRASE_PATTERNS, SILENCE_PHRASES } from './silence-phrases.ts';

/** Letters and digits only: how phrases are compared. Holds nothing that a RegExp would interpret. */
const squeeze = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');

const ONLY_SILENCE_PHRASES = new RegExp(
  `^(?:${[...SILENCE_PHRASES.map(squeeze), ...SILENCE_PHRASE_PATTERNS].join('|')})+$`,
  'u',
);

/** Whether the text is nothing but known silence phrases, once or repeated. */
export const isSilencePhrase = (text: string): boolean => ONLY_SILENCE_PHRASES.test(squeeze(text));

/**
 * Drops segments that are known silence phrases where the audio agrees (`noSpeechProb`).
 * The same words over clear speech stay.
 */
export function dropSilencePhrases(
  segments: readonly Segment[],
  noSpeechThreshold: number,
): { readonly kept: readonly Segment[]; readonly droppedCount: number } {
  const kept = segments.filter(
    ({ text, noSpeechProb }) => !(noSpeechProb > noSpeechThreshold && isSilencePhrase(text)),
  );
  return { kept, droppedCount: segments.length - kept.length };
}

/** What the caller is told about dropped segments; nothing when there were none. */
export function hallucinationWarnings(droppedCount: number): readonly TranscriptWarning[] {
  if (droppedCount === 0) return [];
  const segments = droppedCount === 1 ? '1 segment was' : `${droppedCount} segments were`;
  const message = `${segments} dropped: a phrase that the model writes over silence`;
  return [{ code: 'HALLUCINATION_DROPPED', message }];
}
