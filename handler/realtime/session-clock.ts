import { samplesToSec } from '../../audio/time.ts';
import type { ConnectionLimits } from './connection-parts.ts';

interface SessionAge {
  readonly sampleCount: number;
  readonly isPaused: boolean;
  /** Since audio came. */
  readonly idleSec: number;
}

/** Why a session has to end now, or null; and the audio that it may still take. */
export function endingDue(
  { sampleCount, isPaused, idleSec }: SessionAge,
  { maxSessionSec, pausedSec, idleSec: maxIdleSec }: ConnectionLimits,
): { readonly reason: 'max_duration' | 'idle' | null; readonly leftSec: number } {
  const leftSec = Math.max(0, maxSessionSec - samplesToSec(sampleCount));
  if (leftSec === 0) return { reason: 'max_duration', leftSec };
  const isIdle = idleSec > (isPaused ? pausedSec : maxIdleSec);
  return { reason: isIdle ? 'idle' : null, leftSec };
}
