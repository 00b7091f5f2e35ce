import { samplesToSec } from '../../audio/time.ts';
import type { LiveWord } from '../../pipeline/realtime/agreement.ts';
import type { LiveEvent } from '../../pipeline/realtime/session-state.ts';
import { rounded } from '../wire-segment.ts';

const TIME_DIGITS = 3;

interface WireWord {
  readonly word: string;
  readonly start: number;
  readonly end: number;
  readonly confidence: number;
  readonly speaker?: string;
}

/** What a client hears of the speech in its session; times in seconds of the session's audio. */
export type LiveWireEvent =
  | { readonly type: 'speech_started'; readonly utterance_id: number; readonly start: number }
  | { readonly type: 'speech_ended'; readonly utterance_id: number; readonly end: number }
  | {
      readonly type: 'transcript_partial';
      readonly utterance_id: number;
      readonly text: string;
      readonly words: readonly WireWord[];
    }
  | {
      readonly type: 'transcript_final';
      readonly utterance_id: number;
      readonly text: string;
      readonly start: number | null;
      readonly end: number | null;
      readonly words: readonly WireWord[];
      readonly speech_final: boolean;
      readonly language: string | null;
    }
  | { readonly type: 'transcript_gap'; readonly start: number; readonly end: number };

const sec = (samples: number): number => rounded(samplesToSec(samples), TIME_DIGITS);

/** Null for what the host itself reports. */
export function toWireEvent(event: LiveEvent): LiveWireEvent | null {
  switch (event.type) {
    case 'speech-start':
      return { type: 'speech_started', utterance_id: event.utteranceId, start: sec(event.at) };
    case 'speech-end':
      return { type: 'speech_ended', utterance_id: event.utteranceId, end: sec(event.at) };
    case 'partial':
      return {
        type: 'transcript_partial',
        utterance_id: event.utteranceId,
        ...toWireText(event.words),
      };
    case 'final':
      return {
        type: 'transcript_final',
        utterance_id: event.utteranceId,
        start: event.words[0] ? sec(event.words[0].range.start) : null,
        end: event.words.length > 0 ? sec(event.words.at(-1)!.range.end) : null,
        ...toWireText(event.words),
        speech_final: event.endsUtterance,
        language: event.language,
      };
    case 'gap':
      return {
        type: 'transcript_gap',
        start: sec(event.range.start),
        end: sec(event.range.end),
      };
    case 'ended':
      return null;
  }
}

/** `text` keeps the space before its first word: finals in a row, joined, are the transcript. */
const toWireText = (words: readonly LiveWord[]) => ({
  text: words.map(({ text }) => text).join(''),
  words: words.map(({ text, range, confidence, speaker }) => ({
    word: text.trim(),
    start: sec(range.start),
    end: sec(range.end),
    confidence: rounded(confidence, TIME_DIGITS),
    ...(speaker !== undefined && { speaker }),
  })),
});
