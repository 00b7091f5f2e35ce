import { SttError } from '../../core/errors.ts';
import { toJobView } from '../store/job-row.ts';
import type { JobStore } from '../store/job-store.ts';
import type { AsyncJobs, JobEvent, JobState, JobSubmission, JobView } from './contracts.ts';
import type { JobRunner } from './job-runner.ts';
import type { LiveJobs } from './live-jobs.ts';
import { fingerprintOf } from './request-fingerprint.ts';
import type { UploadFolder } from './upload-folder.ts';
import { watchJob } from './watch-job.ts';

/** Audio inside JSON belongs into a file; everything else is far smaller. */
const MAX_INPUT_BYTES = 1024 * 1024;

export interface DurableJobsParts {
  readonly jobs: JobStore;
  readonly uploads: UploadFolder;
  readonly runner: Pick<JobRunner, 'wake' | 'abort'>;
  readonly live: LiveJobs;
  /** @throws {SttError} where no message may be sent to that URL for that tenant. */
  readonly checkWebhook: (tenant: string | null, url: string) => Promise<void>;
  /** A job was settled that has a webhook. */
  readonly onWebhook: () => void;
  readonly watchTiming: { readonly pollMs: number; readonly settleMs: number };
}

/** Jobs that survive the process: accepted means written down. */
export class DurableJobs implements AsyncJobs {
  readonly #parts: DurableJobsParts;

  constructor(parts: DurableJobsParts) {
    this.#parts = parts;
  }

  async submit(
    submission: JobSubmission,
  ): Promise<{ readonly view: JobView; readonly replayed: boolean }> {
    const { jobs, uploads, runner, checkWebhook } = this.#parts;
    const { job, webhookUrl, idempotencyKey: key } = submission;
    if (Buffer.byteLength(JSON.stringify(job.input)) > MAX_INPUT_BYTES) {
      throw new SttError('INPUT_INVALID', 'Send the audio of an asynchronous job as a file or URL');
    }
    if (webhookUrl !== null) await checkWebhook(job.tenant, webhookUrl);
    const idempotency = key === null ? null : { key, fingerprint: await fingerprintOf(submission) };
    const name = job.upload && (await uploads.keep(job.tenant, job.upload.path));
    try {
      const { row, isNew } = await jobs.insert({
        id: job.id,
        tenant: job.tenant,
        input: job.input,
        upload:
          name === null ? null : { name, bytes: job.upload?.bytes ?? 0, volume: uploads.volume },
        webhookUrl,
        idempotency,
      });
      if (name !== null) await (isNew ? uploads.stored(name) : uploads.remove(name));
      if (isNew) runner.wake();
      return { view: toJobView(row), replayed: !isNew };
    } catch (thrown) {
      // A database that fails may have stored the job: then the sweep decides about the file.
      const isStored = SttError.from(thrown).code === 'STORE_UNAVAILABLE';
      if (name !== null) await (isStored ? uploads.stored(name) : uploads.remove(name));
      throw thrown;
    }
  }

  async get(tenant: string | null, id: string): Promise<JobView | undefined> {
    const row = await this.#parts.jobs.get(tenant, id);
    return row && toJobView(row);
  }

  async list(tenant: string | null, limit: number): Promise<readonly JobView[]> {
    return (await this.#parts.jobs.list(tenant, limit)).map(toJobView);
  }

  async cancel(tenant: string | null, id: string): Promise<JobView | undefined> {
    const { jobs, onWebhook } = this.#parts;
    const isCancelled = await jobs.cancel(tenant, id);
    const row = await jobs.get(tenant, id);
    if (row === undefined) return undefined;
    if (isCancelled) {
      await this.#forgetRun(id, row.upload_name);
      onWebhook();
    }
    return toJobView(row);
  }

  async delete(tenant: string | null, id: string): Promise<boolean> {
    const row = await this.#parts.jobs.delete(tenant, id);
    if (row === undefined) return false;
    await this.#forgetRun(id, row.upload_name);
    return true;
  }

  watch(tenant: string | null, id: string, signal: AbortSignal): AsyncIterable<JobEvent> {
    const { live, watchTiming } = this.#parts;
    return watchJob(id, { ...watchTiming, live, read: () => this.get(tenant, id) }, signal);
  }

  countByState(): Promise<Readonly<Record<JobState, number>>> {
    return this.#parts.jobs.countByState();
  }

  async #forgetRun(id: string, uploadName: string | null): Promise<void> {
    const { runner, uploads, live } = this.#parts;
    runner.abort(id);
    live.changed(id);
    if (uploadName !== null) await uploads.remove(uploadName);
  }
}
