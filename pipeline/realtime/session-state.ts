import { msToSamples, type SampleRange, secToSamples } from '../../audio/time.ts';
import {
  type Agreement,
  type AgreementOptions,
  DEFAULT_AGREEMENT_OPTIONS,
  emptyAgreement,
  type LiveWord,
} from './agreement.ts';
import {
  DEFAULT_ENDPOINT_OPTIONS,
  type EndpointOptions,
  type EndpointState,
  initialEndpointState,
} from './endpointing.ts';
import type { LiveSpeakers } from './live-speakers.ts';
import type { WindowVoice } from './window-voice.ts';

export interface LiveOptions {
  readonly agreement: AgreementOptions;
  readonly endpoint: EndpointOptions;
  /** New audio that a further window of the same utterance is worth. */
  readonly minStepSamples: number;
  /** A window longer than this is cut behind a final word. */
  readonly trimSamples: number;
  /** No window is longer; below the recogniser's 30 s. */
  readonly maxWindowSamples: number;
  /** Probability from which a detected language holds for the session. */
  readonly languageThreshold: number;
  /** Mean confidence below which an utterance speaks against the language that holds. */
  readonly doubtThreshold: number;
  /** Utterances in a row that must do so before the language is detected again. */
  readonly maxDoubts: number;
}

export const DEFAULT_LIVE_OPTIONS: LiveOptions = {
  agreement: DEFAULT_AGREEMENT_OPTIONS,
  endpoint: DEFAULT_ENDPOINT_OPTIONS,
  minStepSamples: msToSamples(500),
  trimSamples: secToSamples(12),
  maxWindowSamples: secToSamples(28),
  languageThreshold: 0.6,
  doubtThreshold: 0.45,
  maxDoubts: 2,
};

/** A stretch of speech; `end` is null while it goes on. */
export interface Utterance {
  readonly id: number;
  readonly start: number;
  readonly end: number | null;
}

/** What the host sends to a recogniser. Windows are cumulative: a lost one does no harm. */
export interface WindowRequest extends SampleRange {
  readonly seq: number;
  readonly utteranceId: number;
  /** All that it says becomes final. It has to be tried until it succeeds or is given up. */
  readonly isLast: boolean;
  /** Null: to be detected. */
  readonly language: string | null;
  /** Codes that the detection chooses from; none: all that the model knows. */
  readonly languages?: readonly string[];
  readonly prompt: string;
  /** Whether its voice is wanted too. */
  readonly diarize: boolean;
}

export interface Pause {
  readonly at: number;
  readonly probability: number;
}

/** Everything about a session but its audio. Plain JSON: it may be stored between any two inputs. */
export interface LiveState {
  readonly version: 1;
  readonly endpoint: EndpointState;
  /** Speech that is not final yet, in time order; at most the last is open. */
  readonly utterances: readonly Utterance[];
  readonly nextUtteranceId: number;
  /** The oldest sample that may still be needed. */
  readonly windowStart: number;
  /** End of the last window that was asked for in this utterance. */
  readonly askedUntil: number;
  readonly agreement: Agreement;
  readonly nextSeq: number;
  readonly inFlight: WindowRequest | null;
  readonly language: string | null;
  readonly isLanguageGiven: boolean;
  /** See `WindowRequest`; states of earlier versions have none. */
  readonly languages?: readonly string[];
  /** Who has spoken so far; null: nobody asks. */
  readonly speakers: LiveSpeakers | null;
  /** Consecutive utterances that were hard to understand: the language may be another one. */
  readonly doubts: number;
  /** The least speech-like frame of each second since the window began: where it may be cut. */
  readonly pauses: readonly Pause[];
  readonly isEnding: boolean;
  readonly isEnded: boolean;
}

export type LiveInput =
  /** Probabilities of the frames that follow what was heard; `frameSamples` each. */
  | {
      readonly type: 'audio';
      readonly probabilities: readonly number[];
      readonly frameSamples: number;
    }
  | { readonly type: 'result'; readonly seq: number; readonly result: WindowResult }
  /** The window failed and will be asked for again. */
  | { readonly type: 'failed'; readonly seq: number }
  /** The window failed for good: what it covers stays without text, and the session says so. */
  | { readonly type: 'given-up'; readonly seq: number }
  /** What was said until now becomes final; the session goes on. */
  | { readonly type: 'finalize' }
  | { readonly type: 'end' };

export interface WindowResult {
  readonly words: readonly LiveWord[];
  readonly language: string;
  readonly languageProbability: number;
  /** Of the window's end, where it was asked for and enough was heard. */
  readonly voice?: WindowVoice;
}

export type LiveEvent =
  | { readonly type: 'speech-start'; readonly utteranceId: number; readonly at: number }
  | { readonly type: 'speech-end'; readonly utteranceId: number; readonly at: number }
  /** Replaces the partial before it; empty when nothing is pending any more. */
  | { readonly type: 'partial'; readonly utteranceId: number; readonly words: readonly LiveWord[] }
  /** Said once and never taken back. `endsUtterance`: nothing more of this utterance will come. */
  | {
      readonly type: 'final';
      readonly utteranceId: number;
      readonly words: readonly LiveWord[];
      readonly endsUtterance: boolean;
      readonly language: string | null;
    }
  | { readonly type: 'gap'; readonly range: SampleRange }
  | { readonly type: 'ended' };

/**
 * @param language code, or null to detect it.
 * @param diarize whether final words say who speaks.
 * @param languages codes that the detection chooses from; none: all that the model knows.
 */
export const initialLiveState = (
  language: string | null,
  diarize = false,
  languages: readonly string[] = [],
): LiveState => ({
  version: 1,
  endpoint: initialEndpointState,
  utterances: [],
  nextUtteranceId: 1,
  windowStart: 0,
  askedUntil: 0,
  agreement: emptyAgreement(0),
  nextSeq: 1,
  inFlight: null,
  language,
  isLanguageGiven: language !== null,
  languages,
  speakers: diarize ? [] : null,
  doubts: 0,
  pauses: [],
  isEnding: false,
  isEnded: false,
});
