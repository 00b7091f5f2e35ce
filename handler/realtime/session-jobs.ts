import { SttError } from '../../core/errors.ts';
import type { AsyncJobs } from '../jobs/contracts.ts';
import type { EndedSession, RefinedTranscript, Refinement } from './contracts.ts';

/** Refined transcripts as asynchronous jobs of the service: at `/stt/jobs`, with their webhooks. */
export class SessionJobs implements Refinement {
  readonly #jobs: AsyncJobs;

  constructor(jobs: AsyncJobs) {
    this.#jobs = jobs;
  }

  checkWebhook(tenant: string | null, url: string): Promise<void> {
    return this.#jobs.checkWebhook(tenant, url);
  }

  async handOver(session: EndedSession): Promise<void> {
    const { jobId: id, tenant, webhookUrl, path, bytes } = session;
    const input = {
      meeting_id: session.meetingId,
      tenant_id: tenant,
      language: session.language,
      languages: session.languages,
      ...(session.chineseScript && {
        postprocess: { chinese_script: session.chineseScript },
      }),
    };
    try {
      await this.#jobs.submit({
        job: { id, tenant, input, upload: { path, bytes } },
        webhookUrl,
        idempotencyKey: `live-session:${id}`,
        isOwed: true,
      });
    } catch (thrown) {
      // A process that died meanwhile has handed the session over; its job is there.
      if (SttError.from(thrown).code !== 'IDEMPOTENCY_CONFLICT') throw thrown;
    }
  }

  async outcome(
    tenant: string | null,
    jobId: string,
    signal: AbortSignal,
  ): Promise<RefinedTranscript | undefined> {
    for await (const event of this.#jobs.watch(tenant, jobId, signal)) {
      if (event.type !== 'settled') continue;
      const { state: status, output } = event.view;
      if (output === null) return { status, result: null, error: null };
      if ('error' in output) return { status, result: null, error: output.error };
      return { status, result: output, error: null };
    }
    return undefined;
  }
}
