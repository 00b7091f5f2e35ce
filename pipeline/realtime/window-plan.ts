import type { LiveOptions, LiveState, Utterance, WindowRequest } from './session-state.ts';

/** The window to recognise now, or null: nothing is said, one is under way, or too little is new. */
export function planWindow(state: LiveState, options: LiveOptions): WindowRequest | null {
  const { inFlight, utterances, windowStart, askedUntil, endpoint } = state;
  const current = utterances[0];
  if (inFlight !== null || !current) return null;
  const until = current.end ?? endpoint.heard;
  const request = (end: number, isLast: boolean) => requestOf(state, current, { end, isLast });
  if (until - windowStart > options.maxWindowSamples)
    return request(cutPlace(state, options), true);
  if (current.end !== null) return request(lastEndWithin(state, options), true);
  const fresh = until - Math.max(askedUntil, windowStart);
  return fresh >= options.minStepSamples ? request(until, false) : null;
}

function requestOf(
  { nextSeq, windowStart, language, languages = [], agreement, speakers }: LiveState,
  { id }: Utterance,
  { end, isLast }: Pick<WindowRequest, 'end' | 'isLast'>,
): WindowRequest {
  return {
    seq: nextSeq,
    utteranceId: id,
    start: windowStart,
    end,
    isLast,
    language,
    languages,
    prompt: agreement.promptTail.trim(),
    diarize: speakers !== null,
  };
}

/** Utterances that ended while a worker was busy share a window. */
function lastEndWithin({ utterances, windowStart }: LiveState, options: LiveOptions): number {
  const latest = windowStart + options.maxWindowSamples;
  return Math.max(...utterances.flatMap(({ end }) => (end !== null && end <= latest ? end : [])));
}

/** Where a window that is too long ends: the quietest frame of its second half. */
function cutPlace({ windowStart, pauses }: LiveState, { maxWindowSamples }: LiveOptions): number {
  const latest = windowStart + maxWindowSamples;
  const earliest = windowStart + maxWindowSamples / 2;
  const places = pauses.filter(({ at }) => at >= earliest && at <= latest);
  if (places.length === 0) return latest;
  return places.reduce((best, place) => (place.probability < best.probability ? place : best)).at;
}

/** Whether an utterance goes on behind `end`. */
export const isCutAt = ({ utterances }: LiveState, end: number): boolean =>
  utterances.some((spoken) => spoken.start < end && (spoken.end === null || spoken.end > end));
