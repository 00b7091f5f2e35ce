import { SttError } from '../../core/errors.ts';
import { cursorOf, positionAt } from '../store/job-position.ts';
import { toJobView } from '../store/job-row.ts';
import type { JobStore } from '../store/job-store.ts';
import { LimitExceeded } from '../tenants/limit-exceeded.ts';
import type {
  AsyncJobs,
  JobEvent,
  JobPage,
  JobState,
  JobSubmission,
  JobView,
} from './contracts.ts';
import type { JobRunner } from './job-runner.ts';
import type { LiveJobs } from './live-jobs.ts';
import { type QueueLimits, UNLIMITED } from './queue-room.ts';
import { fingerprintOf } from './request-fingerprint.ts';
import { SharedReads } from './shared-reads.ts';
import type { UploadFolder } from './upload-folder.ts';
import { watchJob } from './watch-job.ts';

/** Audio inside JSON belongs into a file; everything else is far smaller. */
const MAX_INPUT_BYTES = 1024 * 1024;

export interface DurableJobsParts {
  readonly jobs: JobStore;
  readonly uploads: UploadFolder;
  readonly runner: Pick<JobRunner, 'wake' | 'abort' | 'runningOf'>;
  readonly live: LiveJobs;
  readonly limitsOf: (tenant: string | null) => QueueLimits;
  /** @throws {SttError} where no message may be sent to that URL for that tenant. */
  readonly checkWebhook: (tenant: string | null, url: string) => Promise<void>;
  /** A job was settled that has a webhook. */
  readonly onWebhook: () => void;
  readonly watchTiming: { readonly pollMs: number; readonly settleMs: number };
}

/** Jobs that survive the process: accepted means written down. */
export class DurableJobs implements AsyncJobs {
  readonly #parts: DurableJobsParts;
  /** Watchers of one job look together. */
  readonly #looks: SharedReads<JobView | undefined>;

  constructor(parts: DurableJobsParts) {
    this.#parts = parts;
    this.#looks = new SharedReads(parts.watchTiming.settleMs);
  }

  async submit(
    submission: JobSubmission,
  ): Promise<{ readonly view: JobView; readonly replayed: boolean }> {
    const { jobs, uploads, runner, limitsOf, checkWebhook } = this.#parts;
    const { job, webhookUrl, idempotencyKey: key, requestId = null, isOwed } = submission;
    if (Buffer.byteLength(JSON.stringify(job.input)) > MAX_INPUT_BYTES) {
      throw new SttError('INPUT_INVALID', 'Send the audio of an asynchronous job as a file or URL');
    }
    if (webhookUrl !== null && !isOwed) await checkWebhook(job.tenant, webhookUrl);
    const idempotency = key === null ? null : { key, fingerprint: await fingerprintOf(submission) };
    const name = job.upload && (await uploads.keep(job.tenant, job.upload.path));
    const upload =
      name === null ? null : { name, bytes: job.upload?.bytes ?? 0, volume: uploads.volume };
    const { id, tenant, input } = job;
    const countedSec = isOwed ? 0 : null;
    const row = { id, tenant, input, upload, webhookUrl, idempotency, requestId, countedSec };
    try {
      const stored = await jobs.insert(row, isOwed ? UNLIMITED : limitsOf(tenant));
      if (name !== null) await (stored.isNew ? uploads.stored(name) : uploads.remove(name));
      if (stored.isNew) runner.wake();
      return { view: toJobView(stored.row), replayed: !stored.isNew };
    } catch (thrown) {
      if (name !== null) await (isRefusal(thrown) ? uploads.remove(name) : uploads.stored(name));
      throw thrown;
    }
  }

  checkWebhook(tenant: string | null, url: string): Promise<void> {
    return this.#parts.checkWebhook(tenant, url);
  }

  async get(tenant: string | null, id: string): Promise<JobView | undefined> {
    const row = await this.#parts.jobs.get(tenant, id);
    return row && toJobView(row);
  }

  async list(tenant: string | null, limit: number, cursor?: string | null): Promise<JobPage> {
    const after = cursor ? positionAt(cursor) : null;
    const rows = await this.#parts.jobs.list(tenant, limit + 1, after);
    const shown = rows.slice(0, limit);
    const last = rows.length > limit ? shown.at(-1) : undefined;
    return {
      views: shown.map(toJobView),
      cursor: last ? cursorOf({ createdMs: last.created_ms, id: last.id }) : null,
    };
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
    const keyNow = () => JSON.stringify([live.changes, tenant, id]);
    const read = () => this.#looks.read(keyNow(), () => this.get(tenant, id));
    return watchJob(id, { ...watchTiming, live, read }, signal);
  }

  countByState(): Promise<Readonly<Record<JobState, number>>> {
    return this.#parts.jobs.countByState();
  }

  runningOf(tenant: string | null): number {
    return this.#parts.runner.runningOf(tenant);
  }

  async #forgetRun(id: string, uploadName: string | null): Promise<void> {
    const { runner, uploads, live } = this.#parts;
    runner.abort(id);
    live.changed(id);
    if (uploadName !== null) await uploads.remove(uploadName);
  }
}

/** Certainly not stored. After any other failure the job may be there: the sweep decides then. */
const isRefusal = (thrown: unknown): boolean =>
  thrown instanceof LimitExceeded ||
  (thrown instanceof SttError && thrown.code === 'IDEMPOTENCY_CONFLICT');
