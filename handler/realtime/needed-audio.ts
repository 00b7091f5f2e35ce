import type { LiveOptions, LiveState } from '../../pipeline/realtime/session-state.ts';

/** The oldest sample that a window may still hold. */
export function neededFrom(
  { utterances, windowStart, endpoint, inFlight }: LiveState,
  { endpoint: { padSamples } }: LiveOptions,
): number {
  const sound = endpoint.phase === 'silence' ? endpoint.heard : endpoint.start;
  const window = utterances.length > 0 ? windowStart : sound - padSamples;
  return Math.max(0, Math.min(window, inFlight?.start ?? window));
}
