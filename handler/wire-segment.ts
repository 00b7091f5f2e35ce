import { type SampleRange, samplesToSec } from '../audio/time.ts';
import type { Segment, TranscriptWarning, Word } from '../pipeline/contracts.ts';
import type { SpeakerTurn } from '../pipeline/diarization/options.ts';

interface WireWord {
  readonly word: string;
  readonly start: number;
  readonly end: number;
  readonly confidence: number;
  readonly speaker?: string;
  /** Counted from 0, where each channel is transcribed by itself. */
  readonly channel?: number;
}

export interface WireSegment {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly speaker?: string;
  /** Counted from 0, where each channel is transcribed by itself. */
  readonly channel?: number;
  /** Only where every window has a language of its own. */
  readonly language?: string;
  readonly confidence: number;
  readonly words?: readonly WireWord[];
}

/** Something to know about the result, with the seconds that it is about. */
export interface WireWarning {
  readonly code: string;
  readonly message: string;
  readonly count?: number;
  readonly ranges?: readonly { readonly start: number; readonly end: number }[];
  readonly announced_duration?: number;
  readonly decoded_duration?: number;
}

/** A segment of `verbose` output: OpenAI's diagnostics, under OpenAI's names. */
export interface VerboseWireSegment extends WireSegment {
  readonly id: number;
  readonly avg_logprob: number;
  readonly no_speech_prob: number;
  readonly compression_ratio: number;
  readonly temperature: number;
}

/** Samples become the seconds of the wire here and nowhere else; whole milliseconds. */
export const toWireSec = (samples: number): number => rounded(samplesToSec(samples), 3);
export const msToWireSec = (ms: number): number => rounded(ms / 1000, 3);

const toWireRange = ({ start, end }: SampleRange) => ({
  start: toWireSec(start),
  end: toWireSec(end),
});

export function toWireSegment(segment: Segment): WireSegment {
  const { text, range, confidence, language, speaker, channel, words } = segment;
  return {
    ...toWireRange(range),
    text: text.trim(),
    ...(speaker !== undefined && { speaker }),
    ...(channel !== undefined && { channel }),
    ...(language !== undefined && { language }),
    confidence: rounded(confidence),
    ...(words.length > 0 && { words: words.map(toWireWord) }),
  };
}

export const toWireWarning = ({
  ranges,
  announcedSec,
  decodedSec,
  ...warning
}: TranscriptWarning): WireWarning => ({
  ...warning,
  ...(ranges !== undefined && { ranges: ranges.map(toWireRange) }),
  ...(announcedSec !== undefined && { announced_duration: rounded(announcedSec, 3) }),
  ...(decodedSec !== undefined && { decoded_duration: rounded(decodedSec, 3) }),
});

export const toWireTurn = ({ speaker, range }: SpeakerTurn) => ({ ...toWireRange(range), speaker });

const toWireWord = ({ text, range, confidence, speaker, channel }: Word): WireWord => ({
  word: text.trim(),
  ...toWireRange(range),
  confidence: rounded(confidence),
  ...(speaker !== undefined && { speaker }),
  ...(channel !== undefined && { channel }),
});

export const withDiagnostics =
  (segments: readonly Segment[]) =>
  (wireSegment: WireSegment, index: number): VerboseWireSegment => {
    const { avgLogProb, noSpeechProb, compressionRatio, temperature } = segments[index]!;
    return {
      id: index,
      ...wireSegment,
      avg_logprob: rounded(avgLogProb),
      no_speech_prob: rounded(noSpeechProb),
      compression_ratio: rounded(compressionRatio),
      temperature,
    };
  };

/** Four decimals for probabilities, unless told otherwise. */
export const rounded = (value: number, decimals = 4): number => {
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale;
};

export const mapValues = (
  record: Readonly<Record<string, number>>,
  change: (value: number) => number,
): Record<string, number> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
