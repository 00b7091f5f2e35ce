import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { loadConfig } from '../../../core/config.ts';
import { SttError } from '../../../core/errors.ts';
import { createLogger } from '../../../core/logger.ts';
import type {
  AsyncJobs,
  ExecutionContext,
  JobEvent,
  JobSubmission,
  JobView,
  ServiceJob,
  Upload,
} from '../../../handler/jobs/contracts.ts';
import type { QueueLimits } from '../../../handler/jobs/queue-room.ts';
import {
  type JobsHome,
  type JobsSettings,
  openJobs,
  type RunSettings,
} from '../../../handler/jobs/start-jobs.ts';
import { type JobOutput, runJob } from '../../../handler/run-job.ts';
import { fakeJobServices } from '../../fakes/job-services.ts';

export const LIMITS: QueueLimits = { maxQueued: 10, places: 2, maxUploadBytes: 1e6, tenant: null };
const INPUT = { audio_url: 'https://example.com/a.wav' };

type Execute = (job: ServiceJob, context: ExecutionContext) => Promise<JobOutput>;

export const succeed: Execute = ({ id, input }, context) =>
  runJob({ id, input }, fakeJobServices(), context);

export const failWith = (code: 'AUDIO_EMPTY' | 'ENGINE_CRASHED'): JobOutput => ({
  error: new SttError(code, 'No').toJSON(),
});

/** Works until it is told to stop. */
export const untilAborted: Execute = async (_job, { signal }) => {
  await wait(60_000, undefined, { signal }).catch(() => undefined);
  return { error: SttError.from(signal.reason).toJSON() };
};

export const secretOf = (name: string): string =>
  `whsec_${Buffer.from(name.repeat(8)).toString('base64')}`;

export const until = async (condition: () => unknown): Promise<void> => {
  while (!(await condition())) await wait(5);
};

export async function collect(events: AsyncIterable<JobEvent>): Promise<JobEvent[]> {
  const all: JobEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

export const submission = (
  id: string,
  more: Partial<JobSubmission> & Partial<ServiceJob> = {},
): JobSubmission => ({
  job: {
    id,
    tenant: more.tenant ?? 'acme',
    input: more.input ?? INPUT,
    upload: more.upload ?? null,
  },
  webhookUrl: more.webhookUrl ?? null,
  idempotencyKey: more.idempotencyKey ?? null,
});

/** Real jobs in a real database, run by what a test says. */
export class JobsBench {
  readonly root = mkdtempSync(join(tmpdir(), 'stt-jobs-'));
  dataDir = '';
  lines: string[] = [];
  execute: Execute = succeed;
  /** How jobs are run, where a test wants it otherwise. */
  run: Partial<RunSettings> = {};
  home!: JobsHome;
  jobs!: AsyncJobs;

  /** A new, empty folder and a fresh start. */
  async reset(): Promise<void> {
    this.dataDir = mkdtempSync(join(this.root, 'data-'));
    this.lines = [];
    this.execute = succeed;
    this.run = {};
    await this.start();
  }

  async start(more: Partial<JobsSettings> = {}): Promise<void> {
    this.home = await openJobs({
      config: loadConfig({ DATA_DIR: this.dataDir }).jobs,
      limitsOf: () => LIMITS,
      logger: createLogger('debug', { write: (line: string) => this.lines.push(line) }),
      policy: { allowHttp: true, allowPrivateUrls: true },
      secretsOf: (tenant) => (tenant === 'nosecret' ? [] : [secretOf('new'), secretOf('old')]),
      timing: { pollMs: 20, watchMs: 1, rerunMs: 1, progressMs: 0 },
      webhookWaitsMs: [1, 1],
      ...more,
    });
    const executor = {
      execute: (job: ServiceJob, context: ExecutionContext) => this.execute(job, context),
    };
    this.jobs = this.home.jobs;
    this.home.start({
      executor,
      concurrency: 2,
      mayRun: () => true,
      ready: async () => undefined,
      ...this.run,
    });
  }

  stop(): Promise<void> {
    return this.home.stop(AbortSignal.abort());
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  upload(content: string): Upload {
    const path = join(this.root, `upload-${Math.random()}`);
    writeFileSync(path, content);
    return { path, bytes: content.length };
  }

  storedUploads(): string[] {
    return readdirSync(join(this.dataDir, 'uploads'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  }

  eventsOf(id: string, tenant = 'acme'): Promise<JobEvent[]> {
    return collect(this.jobs.watch(tenant, id, new AbortController().signal));
  }

  async settled(id: string, tenant = 'acme'): Promise<JobView | undefined> {
    await this.eventsOf(id, tenant);
    return this.jobs.get(tenant, id);
  }
}
