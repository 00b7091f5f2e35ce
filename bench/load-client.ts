import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, FormData, fetch } from 'undici';
import { z } from 'zod';

/** What became of one upload. */
export interface Outcome {
  /** HTTP status, or the state of a job. */
  readonly status: number | string;
  readonly hasResult: boolean;
  readonly elapsedSec: number;
}

export interface AcceptedJob {
  readonly id: string;
  readonly key: string;
  readonly startedAt: number;
}

const Answer = z.looseObject({
  segments: z.array(z.unknown()).optional(),
  job_id: z.string().optional(),
});
const JobAnswer = z.looseObject({
  status: z.string(),
  result: z.looseObject({ segments: z.array(z.unknown()).min(1) }).nullish(),
});

/** Sends many uploads at once, in turn for each tenant, and waits as long as it takes. */
export class LoadClient {
  readonly #url: string;
  readonly #recording: Buffer<ArrayBuffer>;
  readonly #keys: readonly string[];
  readonly #dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

  constructor(options: {
    readonly url: string;
    readonly recording: Buffer<ArrayBuffer>;
    readonly keys: readonly string[];
  }) {
    this.#url = options.url;
    this.#recording = options.recording;
    this.#keys = options.keys;
  }

  /** All at once, each waited for. */
  uploadAll(count: number): Promise<readonly Outcome[]> {
    return Promise.all(
      Array.from({ length: count }, async (_, index): Promise<Outcome> => {
        const startedAt = performance.now();
        const { status, body } = await this.#upload(this.#keyOf(index), {});
        const hasResult = (Answer.safeParse(body).data?.segments?.length ?? 0) > 0;
        return { status, hasResult, elapsedSec: (performance.now() - startedAt) / 1000 };
      }),
    );
  }

  /**
   * All at once as jobs. Those refused by a limit, and those that a dead or a starting service does
   * not answer, are sent again under the same key until they are accepted.
   */
  submitAll(count: number, webhookUrl: string): Promise<readonly AcceptedJob[]> {
    return Promise.all(
      Array.from({ length: count }, async (_, index): Promise<AcceptedJob> => {
        const key = this.#keyOf(index);
        const startedAt = performance.now();
        const idempotencyKey = randomUUID();
        for (;;) {
          const fields = { webhook_url: webhookUrl };
          const answer = await this.#upload(key, fields, idempotencyKey).catch(() => undefined);
          const id = Answer.safeParse(answer?.body).data?.job_id;
          if (answer?.status === 202 && id !== undefined) return { id, key, startedAt };
          if (answer !== undefined && ![429, 503].includes(answer.status)) {
            throw new Error(`A job was answered with ${answer.status}`);
          }
          await sleep(250);
        }
      }),
    );
  }

  /** Asks for the jobs until each has settled. */
  settled(jobs: readonly AcceptedJob[]): Promise<readonly Outcome[]> {
    return Promise.all(
      jobs.map(async ({ id, key, startedAt }): Promise<Outcome> => {
        for (;;) {
          const answer = await fetch(`${this.#url}/stt/jobs/${id}`, {
            headers: { 'x-api-key': key },
            dispatcher: this.#dispatcher,
          });
          const job = JobAnswer.parse(await answer.json());
          if (job.status !== 'queued' && job.status !== 'running') {
            const elapsedSec = (performance.now() - startedAt) / 1000;
            return { status: job.status, hasResult: Boolean(job.result), elapsedSec };
          }
          await sleep(1000);
        }
      }),
    );
  }

  #keyOf(index: number): string {
    return this.#keys[index % this.#keys.length] ?? '';
  }

  async #upload(
    key: string,
    fields: Readonly<Record<string, string>>,
    idempotencyKey?: string,
  ): Promise<{ readonly status: number; readonly body: unknown }> {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('file', new Blob([this.#recording]), 'meeting.wav');
    const isAsync = idempotencyKey !== undefined;
    const answer = await fetch(`${this.#url}/stt/upload${isAsync ? '?async=true' : ''}`, {
      method: 'POST',
      headers: { 'x-api-key': key, ...(isAsync && { 'idempotency-key': idempotencyKey }) },
      body: form,
      dispatcher: this.#dispatcher,
    });
    return { status: answer.status, body: await answer.json() };
  }
}
