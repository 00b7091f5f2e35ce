import type { DeliveryOutcome } from '../store/delivery-store.ts';
import type { ReceiverAnswer } from './post-message.ts';

const SEC = 1000;
const MIN = 60 * SEC;
const HOUR = 60 * MIN;
const GONE = 410;
/** A receiver may ask for a longer wait, within reason. */
const MAX_RETRY_AFTER_MS = 6 * HOUR;

/** Waits between attempts, nine attempts over 20 hours; half of each is random. */
export const RETRY_WAITS_MS: readonly number[] = [
  5 * SEC,
  30 * SEC,
  5 * MIN,
  30 * MIN,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  10 * HOUR,
];

/** What to do after an attempt: 2xx is delivered, 410 asks for no more, all else is tried again. */
export function outcomeOf(
  { status, retryAfterMs = 0 }: ReceiverAnswer,
  attempts: number,
  { waitsMs = RETRY_WAITS_MS, random = Math.random } = {},
): DeliveryOutcome {
  if (status !== null && status >= 200 && status < 300) {
    return { state: 'delivered', status, retryMs: 0 };
  }
  const waitMs = waitsMs[attempts - 1];
  if (status === GONE || waitMs === undefined) return { state: 'failed', status, retryMs: 0 };
  const jittered = waitMs * (0.5 + random() / 2);
  const retryMs = Math.round(Math.max(jittered, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS)));
  return { state: 'pending', status, retryMs };
}
