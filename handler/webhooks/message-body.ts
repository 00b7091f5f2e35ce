import type { JobView } from '../jobs/contracts.ts';
import { toWireJob } from '../jobs/wire-job.ts';

/** Receivers commonly accept a megabyte or more; a longer result is fetched. */
const MAX_BODY_BYTES = 1024 * 1024;

/**
 * `job.completed`, `job.failed` or `job.cancelled` with the job as `GET /stt/jobs/{id}` shows it,
 * the same at every attempt. A large result is left out: `result_omitted` is true then.
 */
export function messageBodyOf(view: JobView): string {
  const { webhook: _, ...job } = toWireJob(view); // its own state would change between attempts
  const message = { type: `job.${view.state}`, timestamp: job.finished_at };
  const body = JSON.stringify({ ...message, data: { ...job, result_omitted: false } });
  if (Buffer.byteLength(body) <= MAX_BODY_BYTES) return body;
  return JSON.stringify({ ...message, data: { ...job, result: null, result_omitted: true } });
}
