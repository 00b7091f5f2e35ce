import type { LiveOptions, LiveState } from '../../pipeline/realtime/session-state.ts';
import { WARM_UP_SAMPLES } from './voice-frames.ts';

/** The oldest sample that a window may still hold. */
export function neededFrom(
  { utterances, windowStart, endpoint, inFlight }: LiveState,
  { endpoint: { padSamples } }: LiveOptions,
): number {
  const sound = endpoint.phase === 'silence' ? endpoint.heard : endpoint.start;
  const window = utterances.length > 0 ? windowStart : sound - padSamples;
  return Math.max(0, Math.min(window, inFlight?.start ?? window));
}

/** The oldest sample that is read again, should the network that hears speech have to start anew. */
export const heardAgainFrom = (live: LiveState, options: LiveOptions): number =>
  Math.max(0, neededFrom(live, options) - WARM_UP_SAMPLES);
