import { createHash } from 'node:crypto';
import type { JobSubmission } from './contracts.ts';
import { hashFile } from './upload-folder.ts';

/** The same for the same request, whatever the order of its fields and the name of its file. */
export async function fingerprintOf({ job, webhookUrl }: JobSubmission): Promise<string> {
  const content = job.upload && (await hashFile(job.upload.path));
  return createHash('sha256')
    .update(JSON.stringify(sorted({ input: job.input, content, webhookUrl })))
    .digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, field]) => [key, sorted(field)]));
}
