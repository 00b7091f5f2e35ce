import { msToSamples, type SampleRange } from '../../audio/time.ts';

export interface EndpointOptions {
  readonly onsetThreshold: number;
  readonly offsetThreshold: number;
  /** Shorter sounds open no utterance. */
  readonly minSpeechSamples: number;
  /** Silence that ends an utterance. */
  readonly endSilenceSamples: number;
  /** Kept before the first and behind the last sound. */
  readonly padSamples: number;
}

export const DEFAULT_ENDPOINT_OPTIONS: EndpointOptions = {
  onsetThreshold: 0.5,
  offsetThreshold: 0.35,
  minSpeechSamples: msToSamples(100),
  endSilenceSamples: msToSamples(500),
  padSamples: msToSamples(200),
};

/** Where the ear is. Plain JSON. */
export interface EndpointState {
  /** Samples heard so far. */
  readonly heard: number;
  readonly phase: 'silence' | 'onset' | 'speech';
  /** First sample of the sound, in `onset` and `speech`. */
  readonly start: number;
  /** End of the last frame with speech. */
  readonly lastSpeech: number;
  /** Where the utterance before ended: a pad never reaches back behind it. */
  readonly previousEnd: number;
}

export type EndpointEvent =
  | { readonly type: 'speech-start'; readonly at: number }
  | { readonly type: 'speech-end'; readonly at: number };

export const initialEndpointState: EndpointState = {
  heard: 0,
  phase: 'silence',
  start: 0,
  lastSpeech: 0,
  previousEnd: 0,
};

/** Takes the speech probability of the next `frameSamples` samples. */
export function hear(
  before: EndpointState,
  { probability, frameSamples }: { readonly probability: number; readonly frameSamples: number },
  options = DEFAULT_ENDPOINT_OPTIONS,
): { readonly state: EndpointState; readonly events: readonly EndpointEvent[] } {
  const frame = { start: before.heard, end: before.heard + frameSamples };
  const state = { ...before, heard: frame.end };
  if (before.phase === 'silence') return fromSilence(state, frame, probability, options);
  const isSpeech = probability >= options.offsetThreshold;
  const lastSpeech = isSpeech ? frame.end : before.lastSpeech;
  if (before.phase === 'onset') {
    if (!isSpeech) return { state: { ...state, phase: 'silence' }, events: [] };
    if (frame.end - before.start < options.minSpeechSamples) {
      return { state: { ...state, lastSpeech }, events: [] };
    }
    const at = Math.max(before.previousEnd, before.start - options.padSamples);
    return {
      state: { ...state, phase: 'speech', lastSpeech },
      events: [{ type: 'speech-start', at }],
    };
  }
  if (frame.end - lastSpeech < options.endSilenceSamples) {
    return { state: { ...state, lastSpeech }, events: [] };
  }
  return endSpeech({ ...state, lastSpeech }, options);
}

function fromSilence(
  state: EndpointState,
  frame: SampleRange,
  probability: number,
  { onsetThreshold }: EndpointOptions,
) {
  if (probability < onsetThreshold) return { state, events: [] };
  return {
    state: { ...state, phase: 'onset' as const, start: frame.start, lastSpeech: frame.end },
    events: [],
  };
}

/**
 * The utterance ends now, whatever is heard: at its last sound with the pad. A sound that goes on
 * opens the next one at once, however short it is: its beginning was in this one.
 */
export function endSpeech(
  before: EndpointState,
  { minSpeechSamples, padSamples } = DEFAULT_ENDPOINT_OPTIONS,
): { readonly state: EndpointState; readonly events: readonly EndpointEvent[] } {
  const { phase, heard, lastSpeech } = before;
  if (phase !== 'speech') return { state: before, events: [] };
  const at = Math.min(heard, lastSpeech + padSamples);
  const events = [{ type: 'speech-end', at }] as const;
  const state = { ...before, previousEnd: at };
  if (lastSpeech < heard) return { state: { ...state, phase: 'silence' }, events };
  return { state: { ...state, phase: 'onset', start: heard - minSpeechSamples }, events };
}
