import type { Segment, TranscriptWarning } from './contracts.ts';
import { loudnessDb, type WindowAudio } from './loudness.ts';
import { ASKED_FOR, SILENCE_CREDITS, SILENCE_PARTS, SILENCE_PHRASES } from './silence-phrases.ts';

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

const sticky = (source: string): RegExp => new RegExp(source, 'uy');
const PARTS = [...SILENCE_PHRASES, ...SILENCE_PARTS].map((source) => ({
  start: sticky(source),
  name: [0, 0] as const,
}));
const CREDITS = SILENCE_CREDITS.map(({ head, name }) => ({ start: sticky(head), name }));
const ONLY_PARTS = new RegExp(`^(?:${SILENCE_PARTS.join('|')})+$`, 'u');
const MIN_PARTS_CHARS = 5;

/** Whether the text is nothing but known silence phrases, once or repeated. */
export function isSilencePhrase(text: string): boolean {
  const squeezed = squeeze(text);
  // Where a phrase may end, from left to right: a loop of them costs no more than its length.
  const ends = new Set([0]);
  for (const at of ends) {
    for (const end of endsBehind(squeezed, at)) ends.add(end);
  }
  if (squeezed === '' || !ends.has(squeezed.length)) return false;
  if (!ONLY_PARTS.test(squeezed)) return true;
  return ASKED_FOR.test(squeezed) && squeezed.length >= MIN_PARTS_CHARS;
}

function endsBehind(text: string, at: number): number[] {
  return [...PARTS, ...CREDITS].flatMap(({ start, name: [fewest, most] }) => {
    start.lastIndex = at;
    if (!start.test(text)) return [];
    const from = start.lastIndex + fewest;
    const to = Math.min(start.lastIndex + most, text.length);
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
  });
}

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
