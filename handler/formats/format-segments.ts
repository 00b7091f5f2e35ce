import { type Cue, type TimedText, toCues } from './cue.ts';
import { writePlainText } from './plain-text.ts';
import { writeSrt } from './srt.ts';
import { writeTsv } from './tsv.ts';
import { writeVtt } from './vtt.ts';

const WRITERS = {
  text: writePlainText,
  srt: writeSrt,
  vtt: writeVtt,
  tsv: writeTsv,
} satisfies Record<string, (cues: readonly Cue[]) => string>;

export type TextFormat = keyof typeof WRITERS;

export const isTextFormat = (format: string): format is TextFormat =>
  Object.hasOwn(WRITERS, format);

/** The segments as a document; every segment with text is in it, in order. */
export const formatSegments = (segments: readonly TimedText[], format: TextFormat): string =>
  WRITERS[format](toCues(segments));
