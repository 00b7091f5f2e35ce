/** What a writer needs of a word of the result; seconds. */
interface TimedWord {
  readonly word: string;
  readonly start: number;
  readonly end: number;
  readonly confidence: number;
}

/** What a writer needs of a segment of the result; seconds. */
export interface TimedText {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly speaker?: string;
  readonly confidence?: number;
  readonly words?: readonly TimedWord[];
}

/** What is on the screen at one time; whole milliseconds, `endMs` is above `startMs`. */
export interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  /** At least one, none of them empty. */
  readonly lines: readonly string[];
  readonly speaker?: string;
}

/** A segment as a cue of one line with a duration; undefined without text. */
export function toCue({ start, end, text, speaker }: TimedText): Cue | undefined {
  const line = oneLine(text);
  if (line === '') return undefined;
  const startMs = Math.max(0, Math.round(start * 1000));
  return {
    startMs,
    endMs: Math.max(Math.round(end * 1000), startMs + 1),
    lines: [line],
    ...(speaker !== undefined && { speaker: oneLine(speaker) }),
  };
}

/** A speaker before the text, as WhisperX writes it: `[SPEAKER_00]: `. */
export const withSpeaker = (cue: Cue, separator: string): string =>
  speakerLabel(cue) + cue.lines.join(separator);

export const speakerLabel = ({ speaker }: Pick<Cue, 'speaker'>): string =>
  speaker === undefined ? '' : `[${oneLine(speaker)}]: `;

/** Line breaks, tabs and control characters would end a cue or a column. */
export const oneLine = (text: string): string =>
  IS_PLAIN.test(text) ? text : text.replace(/[\s\p{Cc}]+/gu, ' ').trim();

/** Most texts need no second look. */
const IS_PLAIN = /^[^\s\p{Cc}]+(?: [^\s\p{Cc}]+)*$/u;

/** `HH:MM:SS` and milliseconds; hours grow beyond two digits. */
export function timestamp(ms: number, decimalMark: ',' | '.'): string {
  const twoDigits = (value: number): string => String(value).padStart(2, '0');
  const totalSec = Math.floor(ms / 1000);
  const hours = twoDigits(Math.floor(totalSec / 3600));
  const minutes = twoDigits(Math.floor(totalSec / 60) % 60);
  const seconds = twoDigits(totalSec % 60);
  return `${hours}:${minutes}:${seconds}${decimalMark}${String(ms % 1000).padStart(3, '0')}`;
}
