import type { Segment, TranscriptWarning } from './contracts.ts';
import { type DetectedLanguage, UNDETERMINED_LANGUAGE } from './languages.ts';
import { meanConfidence } from './quality.ts';

/**
 * Mean confidence of a text below which it was hardly spoken in the only language of the model.
 * tiny.en: docs/accuracy.md.
 */
const DOUBTFUL_CONFIDENCE = 0.55;
/** Probability of a detection below which it is told. */
const DOUBTFUL_PROBABILITY = 0.5;

/** A language that was not given, and the text in it. */
export interface FoundLanguage extends DetectedLanguage {
  readonly segments: readonly Segment[];
}

/** Says so where a language that nobody gave may be another one. */
export function languageDoubts(found: FoundLanguage): TranscriptWarning[] {
  const { language, languageProbability, segments } = found;
  if (language === UNDETERMINED_LANGUAGE || segments.length === 0) return [];
  const isDetected = languageProbability > 0;
  const isDoubtful = isDetected
    ? languageProbability < DOUBTFUL_PROBABILITY
    : meanConfidence(segments) < DOUBTFUL_CONFIDENCE;
  if (!isDoubtful) return [];
  const message = isDetected
    ? `The language was detected with little certainty, as ${language}: give it as language, or candidates as languages`
    : `The model knows only ${language} and is unsure of the text: another language may be spoken`;
  return [{ code: 'LANGUAGE_DOUBTFUL', message }];
}
