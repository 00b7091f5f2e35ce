import { z } from 'zod';
import { JOB_STATES, type JobView } from '../jobs/contracts.ts';
import type { JobOutput } from '../run-job.ts';
import type { SqlRow } from './sql-database.ts';

const time = z.number().nullable();
const json = z.string().transform((text): unknown => JSON.parse(text));
const output = json.pipe(z.custom<JobOutput>((value) => typeof value === 'object'));

/** A row of `jobs`, perhaps with its delivery; the database is ours, so a misfit is a bug. */
const JobRow = z.object({
  id: z.string(),
  tenant: z.string(),
  state: z.enum(JOB_STATES),
  upload_name: z.string().nullable(),
  upload_bytes: z.number().nullable(),
  upload_volume: z.string().nullable(),
  fingerprint: z.string().nullable(),
  request_id: z.string().nullable(),
  stage: z.string().nullable(),
  fraction: z.number().nullable(),
  output: output.nullable(),
  attempts: z.number(),
  created_ms: z.number(),
  started_ms: time,
  finished_ms: time,
  expires_ms: time,
  webhook_state: z.enum(['pending', 'delivered', 'failed']).nullish(),
  webhook_attempts: z.number().nullish(),
  webhook_status: z.number().nullish(),
});
export type JobRow = z.output<typeof JobRow>;

/** A job that is about to run: with what its caller sent, and what an earlier run left. */
const ClaimedJob = JobRow.extend({
  input: json.pipe(z.record(z.string(), z.unknown())),
  remote_id: z.string().nullable(),
  counted_sec: z.number().nullable(),
});
export type ClaimedJob = z.output<typeof ClaimedJob>;

/** The columns of `jobs` without what may be large and nobody asked for. */
export const LIST_COLUMNS = `id, tenant, state, upload_name, upload_bytes, upload_volume,
  fingerprint, request_id, stage, fraction, NULL AS output, attempts, created_ms, started_ms,
  finished_ms, expires_ms`;

export const toJobRow = (row: SqlRow): JobRow => JobRow.parse(row);
export const toClaimedJob = (row: SqlRow): ClaimedJob => ClaimedJob.parse(row);

/** SQL compares no NULLs, so the tenant of a service without keys is the empty text. */
export const tenantColumn = (tenant: string | null): string => tenant ?? '';
export const tenantOf = (column: string): string | null => column || null;

export function toJobView(row: JobRow): JobView {
  const { stage, fraction, webhook_state: webhookState } = row;
  return {
    id: row.id,
    state: row.state,
    attempts: row.attempts,
    createdAtMs: row.created_ms,
    startedAtMs: row.started_ms,
    finishedAtMs: row.finished_ms,
    expiresAtMs: row.expires_ms,
    progress: stage === null || fraction === null ? null : { stage, fraction },
    output: row.output,
    webhook: webhookState
      ? {
          state: webhookState,
          attempts: row.webhook_attempts ?? 0,
          lastStatus: row.webhook_status ?? null,
        }
      : null,
  };
}
