import { ctmLines } from './ctm.ts';
import { speakerLabel, type TimedText, toCue } from './cue.ts';
import { textLine } from './plain-text.ts';
import { rttmLines, type SpeakerStretch } from './rttm.ts';
import { srtCue } from './srt.ts';
import {
  DEFAULT_SUBTITLE_LAYOUT,
  layOutSubtitles,
  type SubtitleLayout,
  withTextLines,
} from './subtitle-layout.ts';
import { timeSlices } from './time-slices.ts';
import { TSV_HEADER, tsvRow } from './tsv.ts';
import { VTT_HEADER, vttCue, vttWordCue } from './vtt.ts';

export interface DocumentOptions {
  /** What `rttm` and `ctm` call the recording. */
  readonly recording: string;
  readonly layout: SubtitleLayout;
  /** `vtt` with a time before every word. */
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

/** Parts of a document, each made when it is asked for: a cue, a line, what one segment gives. */
type Writer = (segments: Iterable<TimedText>, options: DocumentOptions) => Generator<string>;

const WRITERS = {
  *text(segments) {
    for (const segment of segments) yield* each(toCue(segment), textLine);
  },
  *srt(segments, { layout, speakerLabels }) {
    let index = 0;
    const shown = labelled(segments, speakerLabels);
    for (const cue of layOutSubtitles(shown, layout, speakerLabel)) {
      yield cue === null ? '' : srtCue(withTextLines(cue), index++);
    }
  },
  *vtt(segments, { layout, wordCues, speakerLabels }) {
    yield VTT_HEADER;
    for (const cue of layOutSubtitles(labelled(segments, speakerLabels), layout)) {
      if (cue === null) yield '';
      else yield wordCues ? vttWordCue(cue) : vttCue(withTextLines(cue));
    }
  },
  *tsv(segments) {
    yield TSV_HEADER;
    for (const segment of segments) yield* each(toCue(segment), tsvRow);
  },
  *rttm(segments, { recording, turns }) {
    yield* rttmLines(turns.length > 0 ? turns : segments, recording);
  },
  *ctm(segments, { recording }) {
    for (const segment of segments) yield ctmLines(segment, recording);
  },
} satisfies Record<string, Writer>;

function* labelled(segments: Iterable<TimedText>, isWanted: boolean): Generator<TimedText> {
  for (const segment of segments) {
    const { speaker: _, ...unnamed } = segment;
    yield isWanted ? segment : unnamed;
  }
}

function* each<Value>(value: Value | undefined, write: (value: Value) => string) {
  if (value !== undefined) yield write(value);
}

export type TextFormat = keyof typeof WRITERS;

export const isTextFormat = (format: string): format is TextFormat =>
  Object.hasOwn(WRITERS, format);

/** The segments as a document; every segment with text is in it, in order. */
export const formatSegments = (
  segments: readonly TimedText[],
  format: TextFormat,
  options: Partial<DocumentOptions> = {},
): string => [...WRITERS[format](segments, { ...DEFAULTS, ...options })].join('');

/** As `formatSegments`, but lets other work go on between its parts. */
export async function formatSegmentsInSlices(
  segments: readonly TimedText[],
  format: TextFormat,
  options: Partial<DocumentOptions> = {},
): Promise<string> {
  const parts: string[] = [];
  const endOfStep = timeSlices();
  for (const part of WRITERS[format](segments, { ...DEFAULTS, ...options })) {
    parts.push(part);
    await endOfStep();
  }
  return parts.join('');
}
