import type { Segment, TranscriptWarning } from './contracts.ts';
import { loudnessDb, type WindowAudio } from './loudness.ts';
import { SILENCE_PHRASE_PATTERNS, SILENCE_PHRASES } from './silence-phrases.ts';

/** What is done against text that nobody said; each can be switched off. */
export interface HallucinationGuards {
  /** Known phrases are dropped where the audio agrees: little speech, or next to no sound. */
  readonly silencePhrases: boolean;
  /** Of text that repeats itself in spite of all temperatures, one repetition is kept. */
  readonly repetitionLoops: boolean;
  /** Windows without speech, by the model's own doubt and poor guess, have no text. */
  readonly silentWindows: boolean;
  /** Text whose times lie behind its window, where there is only padding, is dropped. */
  readonly paddingText: boolean;
}

export type GuardCounts = Readonly<Record<keyof HallucinationGuards, number>>;

export const NOTHING_GUARDED: GuardCounts = {
  silencePhrases: 0,
  repetitionLoops: 0,
  silentWindows: 0,
  paddingText: 0,
};

/** Below this nobody can be understood; a quiet room is at about −60 dB. */
const SILENCE_DB = -60;

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
 * Drops segments that are known silence phrases where the audio agrees: `noSpeechProb`, or hardly
 * any sound. The same words over clear speech stay.
 */
export function dropSilencePhrases(
  segments: readonly Segment[],
  noSpeechThreshold: number,
  audio: WindowAudio,
): Segment[] {
  return segments.filter(
    ({ text, noSpeechProb, range }) =>
      !isSilencePhrase(text) ||
      (noSpeechProb <= noSpeechThreshold && loudnessDb(audio, range) >= SILENCE_DB),
  );
}

export const sumCounts = (first: GuardCounts, second: GuardCounts): GuardCounts => ({
  silencePhrases: first.silencePhrases + second.silencePhrases,
  repetitionLoops: first.repetitionLoops + second.repetitionLoops,
  silentWindows: first.silentWindows + second.silentWindows,
  paddingText: first.paddingText + second.paddingText,
});

/** What the caller is told about text that was taken away, one warning for each guard that did. */
export function hallucinationWarnings(counts: GuardCounts): readonly TranscriptWarning[] {
  const { silencePhrases, repetitionLoops, silentWindows, paddingText } = counts;
  return [
    warningOf('HALLUCINATION_DROPPED', silencePhrases, [
      '1 segment was dropped: a phrase that the model writes over silence',
      'segments were dropped: phrases that the model writes over silence',
    ]),
    warningOf('REPETITION_DROPPED', repetitionLoops, [
      '1 window repeated itself without end: what repeats was kept once',
      'windows repeated themselves without end: what repeats was kept once',
    ]),
    warningOf('SILENCE_DROPPED', silentWindows, [
      '1 window was dropped: the model doubts that there is speech',
      'windows were dropped: the model doubts that there is speech',
    ]),
    warningOf('PADDING_DROPPED', paddingText, [
      '1 window had text that begins behind its end, where there is nothing to hear: it was dropped',
      'windows had text that begins behind their end, where there is nothing to hear: it was dropped',
    ]),
  ].flat();
}

function warningOf(
  code: string,
  count: number,
  [one, several]: readonly [string, string],
): TranscriptWarning[] {
  if (count === 0) return [];
  return [{ code, message: count === 1 ? one : `${count} ${several}`, count }];
}
