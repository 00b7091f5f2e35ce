import { setTimeout as wait } from 'node:timers/promises';

/** Waits, or returns early when the signal fires; never throws. */
export async function pause(durationMs: number, signal?: AbortSignal): Promise<void> {
  if (durationMs <= 0 || signal?.aborted) return;
  await wait(durationMs, undefined, signal && { signal }).catch(() => undefined);
}
