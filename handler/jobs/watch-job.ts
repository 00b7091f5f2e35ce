import { pause } from '../runpod/pause.ts';
import { isSettled, type JobEvent, type JobView } from './contracts.ts';
import type { LiveJobs } from './live-jobs.ts';

export interface WatchParts {
  readonly live: LiveJobs;
  readonly read: () => Promise<JobView | undefined>;
  /** How soon changes by other processes are noticed. */
  readonly pollMs: number;
  /** Changes within this time are told together. */
  readonly settleMs: number;
}

/**
 * Compares what is with what was told, so that a slow reader costs no memory: it misses steps of
 * the progress, never a segment or the end.
 */
export async function* watchJob(
  id: string,
  { live, read, pollMs, settleMs }: WatchParts,
  signal: AbortSignal,
): AsyncGenerator<JobEvent> {
  let told = { state: '', attempts: -1, fraction: -1, stage: '', segments: 0 };
  while (!signal.aborted) {
    const change = live.nextChange(id, pollMs, signal); // before reading: nothing falls between
    const view = await read();
    if (view === undefined) return;
    const { state, attempts = 0 } = view;
    if (state !== told.state || attempts !== told.attempts) {
      told = { state, attempts, fraction: -1, stage: '', segments: 0 };
      if (!isSettled(state)) yield { type: 'state', view };
    }
    if (isSettled(state)) {
      yield { type: 'settled', view };
      return;
    }
    const running = live.get(id);
    const progress = running?.progress ?? view.progress;
    if (progress && (progress.fraction !== told.fraction || progress.stage !== told.stage)) {
      told = { ...told, ...progress };
      yield { type: 'progress', progress };
    }
    const segments = running?.segments.slice(told.segments) ?? [];
    if (segments.length > 0) {
      told.segments += segments.length;
      yield { type: 'segments', segments };
    }
    await change;
    await pause(settleMs, signal);
  }
}
