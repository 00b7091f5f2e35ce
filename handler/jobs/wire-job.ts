import type { JobView } from './contracts.ts';

/** A job as clients see it; result and error are those of a job that was waited for. */
export function toWireJob(view: JobView) {
  const { output, webhook = null } = view;
  return {
    job_id: view.id,
    status: view.state,
    created_at: toWireTime(view.createdAtMs),
    started_at: toWireTime(view.startedAtMs),
    finished_at: toWireTime(view.finishedAtMs),
    expires_at: toWireTime(view.expiresAtMs),
    attempts: view.attempts ?? 0,
    progress: view.progress,
    result: output === null || 'error' in output ? null : output,
    error: output !== null && 'error' in output ? output.error : null,
    webhook: webhook && {
      status: webhook.state,
      attempts: webhook.attempts,
      last_status: webhook.lastStatus,
    },
  };
}

const toWireTime = (ms: number | null): string | null =>
  ms === null ? null : new Date(ms).toISOString();
