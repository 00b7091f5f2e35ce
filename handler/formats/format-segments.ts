import { writeCtm } from './ctm.ts';
import { type TimedText, toCues } from './cue.ts';
import { writePlainText } from './plain-text.ts';
import { writeRttm } from './rttm.ts';
import { writeSrt } from './srt.ts';
import {
  DEFAULT_SUBTITLE_LAYOUT,
  layOutSubtitles,
  type SubtitleLayout,
} from './subtitle-layout.ts';
import { writeTsv } from './tsv.ts';
import { writeVtt, writeWordVtt } from './vtt.ts';

export interface DocumentOptions {
  /** What `rttm` and `ctm` call the recording. */
  readonly recording: string;
  readonly layout: SubtitleLayout;
  /** `vtt` with a time before every word instead of laid-out lines. */
  readonly wordCues: boolean;
}

const DEFAULTS: DocumentOptions = {
  recording: 'audio',
  layout: DEFAULT_SUBTITLE_LAYOUT,
  wordCues: false,
};

type Writer = (segments: readonly TimedText[], options: DocumentOptions) => string;

const WRITERS = {
  text: (segments) => writePlainText(toCues(segments)),
  srt: (segments, { layout }) => writeSrt(layOutSubtitles(segments, layout)),
  vtt: (segments, { layout, wordCues }) =>
    wordCues ? writeWordVtt(segments) : writeVtt(layOutSubtitles(segments, layout)),
  tsv: (segments) => writeTsv(toCues(segments)),
  rttm: (segments, { recording }) => writeRttm(segments, recording),
  ctm: (segments, { recording }) => writeCtm(segments, recording),
} satisfies Record<string, Writer>;

export type TextFormat = keyof typeof WRITERS;

export const isTextFormat = (format: string): format is TextFormat =>
  Object.hasOwn(WRITERS, format);

/** The segments as a document; every segment with text is in it, in order. */
export const formatSegments = (
  segments: readonly TimedText[],
  format: TextFormat,
  options: Partial<DocumentOptions> = {},
): string => WRITERS[format](segments, { ...DEFAULTS, ...options });
