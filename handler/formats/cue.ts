/** What a writer needs of a segment of the result; seconds. */
export interface TimedText {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly speaker?: string;
}

/** One line of a transcript with its time in whole milliseconds; `endMs` is above `startMs`. */
export interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

/**
 * The segments as cues of one line each: never empty, never without duration, in the given order.
 * A speaker stands before the text, as WhisperX writes it: `[SPEAKER_00]: `.
 */
export function toCues(segments: readonly TimedText[]): Cue[] {
  return segments
    .map(({ start, end, text, speaker }) => {
      const startMs = Math.max(0, Math.round(start * 1000));
      const line = oneLine(text);
      return {
        startMs,
        endMs: Math.max(Math.round(end * 1000), startMs + 1),
        text: line && speaker !== undefined ? `[${oneLine(speaker)}]: ${line}` : line,
      };
    })
    .filter(({ text }) => text !== '');
}

/** Line breaks, tabs and control characters would end a cue or a column. */
const oneLine = (text: string): string => text.replace(/[\s\p{Cc}]+/gu, ' ').trim();

/** `HH:MM:SS` and milliseconds; hours grow beyond two digits. */
export function timestamp(ms: number, decimalMark: ',' | '.'): string {
  const twoDigits = (value: number): string => String(value).padStart(2, '0');
  const totalSec = Math.floor(ms / 1000);
  const hours = twoDigits(Math.floor(totalSec / 3600));
  const minutes = twoDigits(Math.floor(totalSec / 60) % 60);
  const seconds = twoDigits(totalSec % 60);
  return `${hours}:${minutes}:${seconds}${decimalMark}${String(ms % 1000).padStart(3, '0')}`;
}
