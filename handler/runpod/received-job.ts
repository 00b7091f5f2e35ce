import type { Job } from '../job.ts';

/** What one element of a take reply turned out to be. */
export type ReceivedJob =
  | { readonly kind: 'job'; readonly job: Job }
  /** Can be answered with an error. */
  | { readonly kind: 'malformed'; readonly id: string; readonly problem: string }
  /** Nobody to answer. */
  | { readonly kind: 'nameless' };

/** `input` only has to be there: its content is the handler's to judge. */
export function readJob(raw: unknown): ReceivedJob {
  if (typeof raw !== 'object' || raw === null || !('id' in raw)) return { kind: 'nameless' };
  const { id } = raw;
  if (typeof id !== 'string' || id === '') return { kind: 'nameless' };
  if (!('input' in raw)) return { kind: 'malformed', id, problem: 'The job has no input' };
  return { kind: 'job', job: { ...raw, id, input: raw.input } };
}
