import type { AsyncJobs, JobEvent, JobPage, JobView } from '../../handler/jobs/contracts.ts';

/** Knows one job of one tenant, and accepts any. */
export class OneTenantJobs implements AsyncJobs {
  readonly #view: JobView = {
    id: 'job-of-acme',
    state: 'queued',
    createdAtMs: 0,
    startedAtMs: null,
    finishedAtMs: null,
    expiresAtMs: null,
    progress: null,
    output: null,
  };

  async submit({ job }: Parameters<AsyncJobs['submit']>[0]) {
    return { view: { ...this.#view, id: job.id }, replayed: false };
  }

  async checkWebhook(): Promise<void> {}

  async get(tenant: string | null, id: string): Promise<JobView | undefined> {
    return tenant === 'acme' && id === this.#view.id ? this.#view : undefined;
  }

  async list(tenant: string | null): Promise<JobPage> {
    return { views: tenant === 'acme' ? [this.#view] : [], cursor: null };
  }

  /** What a test says of its tenant's jobs at work. */
  running = 0;

  runningOf(): number {
    return this.running;
  }

  cancel(tenant: string | null, id: string): Promise<JobView | undefined> {
    return this.get(tenant, id);
  }

  async delete(tenant: string | null, id: string): Promise<boolean> {
    return (await this.get(tenant, id)) !== undefined;
  }

  async *watch(tenant: string | null, id: string): AsyncIterable<JobEvent> {
    const view = await this.get(tenant, id);
    if (view !== undefined) yield { type: 'state', view };
  }

  async countByState() {
    return { queued: 1, running: 0, completed: 0, failed: 0, cancelled: 0 };
  }
}
