import { msToSamples } from '../../../audio/time.ts';
import {
  DEFAULT_LIVE_OPTIONS,
  type LiveOptions,
} from '../../../pipeline/realtime/session-state.ts';

/** Below, utterances would be cut between words, and short windows read worse. */
const MIN_END_SILENCE_MS = 300;
const MAX_END_SILENCE_MS = 5000;
/** Between the probability that opens an utterance and the one that keeps it open. */
const HYSTERESIS = 0.15;

/** The policy of live captions with a client's own idea of a pause; what is not given is as always. */
export function liveOptionsOf({
  endSilenceMs,
  threshold,
}: {
  readonly endSilenceMs?: number | undefined;
  readonly threshold?: number | undefined;
}): LiveOptions {
  const { endpoint } = DEFAULT_LIVE_OPTIONS;
  const silenceMs = Math.max(MIN_END_SILENCE_MS, Math.min(endSilenceMs ?? 0, MAX_END_SILENCE_MS));
  return {
    ...DEFAULT_LIVE_OPTIONS,
    endpoint: {
      ...endpoint,
      ...(endSilenceMs !== undefined && { endSilenceSamples: msToSamples(silenceMs) }),
      ...(threshold !== undefined && {
        onsetThreshold: threshold,
        offsetThreshold: Math.max(0.01, threshold - HYSTERESIS),
      }),
    },
  };
}
