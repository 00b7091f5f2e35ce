import { writeCtm } from './ctm.ts';
import { speakerLabel, type TimedText, toCues } from './cue.ts';
import { writePlainText } from './plain-text.ts';
import { type SpeakerStretch, writeRttm } from './rttm.ts';
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
  /** Whether `srt` and `vtt` tell who speaks. */
  readonly speakerLabels: boolean;
  /** What `rttm` holds; by default the segments. */
  readonly turns: readonly SpeakerStretch[];
}

const DEFAULTS: DocumentOptions = {
  recording: 'audio',
  layout: DEFAULT_SUBTITLE_LAYOUT,
  wordCues: false,
  speakerLabels: true,
  turns: [],
};

const labelled = (segments: readonly TimedText[], isWanted: boolean): readonly TimedText[] =>
  isWanted ? segments : segments.map(({ speaker: _, ...segment }) => segment);

type Writer = (segments: readonly TimedText[], options: DocumentOptions) => string;

const WRITERS = {
  text: (segments) => writePlainText(toCues(segments)),
  srt: (segments, { layout, speakerLabels }) =>
    writeSrt(layOutSubtitles(labelled(segments, speakerLabels), layout, speakerLabel)),
  vtt: (segments, { layout, wordCues, speakerLabels }) => {
    const shown = labelled(segments, speakerLabels);
    return wordCues ? writeWordVtt(shown) : writeVtt(layOutSubtitles(shown, layout));
  },
  tsv: (segments) => writeTsv(toCues(segments)),
  rttm: (segments, { recording, turns }) =>
    writeRttm(turns.length > 0 ? turns : segments, recording),
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
