import { resolve } from 'node:path';
import type { UrlPolicy } from '../../audio/url-guard.ts';
import type { Config } from '../../core/config.ts';
import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { DurableUsageLedger } from '../store/durable-usage-ledger.ts';
import { toJobView } from '../store/job-row.ts';
import { openStore, type Store } from '../store/open-store.ts';
import type { UsageLedger } from '../tenants/usage-ledger.ts';
import { messageBodyOf } from '../webhooks/message-body.ts';
import { checkWebhookUrl } from '../webhooks/post-message.ts';
import type { WebhookSecretsOf } from '../webhooks/webhook-secrets.ts';
import { WebhookSender } from '../webhooks/webhook-sender.ts';
import type { AsyncJobs, JobExecutor } from './contracts.ts';
import { DurableJobs } from './durable-jobs.ts';
import { type HousekeepingParts, keepTidy, tidyAtStart } from './housekeeping.ts';
import { JobRunner } from './job-runner.ts';
import { LiveJobs } from './live-jobs.ts';
import { UploadFolder } from './upload-folder.ts';

const TIMING = {
  pollMs: 1000,
  progressMs: 2000,
  rerunMs: 10_000,
  storeRetryMs: 2000,
  tidyMs: 30_000,
  watchMs: 100,
};
type JobsTiming = typeof TIMING;

export interface JobsSettings {
  readonly config: Config['jobs'];
  /** More jobs may not wait. */
  readonly maxQueued: number;
  readonly logger: Logger;
  /** Where webhooks may lead. */
  readonly policy: UrlPolicy;
  readonly secretsOf: WebhookSecretsOf;
  readonly timing?: Partial<JobsTiming>;
  readonly webhookWaitsMs?: readonly number[];
}

/** The database is open; jobs are accepted and run after `start`. */
export interface JobsHome {
  readonly ledger: UsageLedger;
  /** Begins to run what waits, what a dead predecessor ran included. May be called once. */
  start(executor: JobExecutor, concurrency: number): Promise<AsyncJobs>;
  /** Takes no more jobs; those not done when `hurry` fires run again after the next start. */
  stop(hurry: AbortSignal): Promise<void>;
}

/**
 * Opens what survives a restart.
 * @throws {SttError} STORE_UNAVAILABLE
 */
export async function openJobs(settings: JobsSettings): Promise<JobsHome> {
  const { config, logger, maxQueued } = settings;
  const dataDir = resolve(config.dataDir);
  const store = await openStore({ ...config, dataDir, maxQueued }, (err) =>
    logger.warn({ err }, 'database connection lost'),
  );
  const refreshMs = config.leaseMs;
  try {
    const uploads = await UploadFolder.open(dataDir);
    const ledger = await DurableUsageLedger.open(store.usage, { logger, refreshMs });
    return new OpenJobs(settings, { store, uploads, ledger });
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}

interface Opened {
  readonly store: Store;
  readonly uploads: UploadFolder;
  readonly ledger: DurableUsageLedger;
}

class OpenJobs implements JobsHome {
  readonly #settings: JobsSettings;
  readonly #opened: Opened;
  readonly #sender: WebhookSender;
  readonly #stopping = new AbortController();
  #runner: JobRunner | undefined;
  #tidying: Promise<void> = Promise.resolve();

  constructor(settings: JobsSettings, opened: Opened) {
    this.#settings = settings;
    this.#opened = opened;
    const { policy, secretsOf, logger, webhookWaitsMs: waitsMs } = settings;
    this.#sender = new WebhookSender({
      deliveries: opened.store.deliveries,
      policy,
      secretsOf,
      logger,
      ...(waitsMs && { waitsMs }),
      bodyOf: async ({ tenant, jobId }) => {
        const row = await opened.store.jobs.get(tenant, jobId);
        return row && messageBodyOf(toJobView(row));
      },
    });
  }

  get ledger(): UsageLedger {
    return this.#opened.ledger;
  }

  async start(executor: JobExecutor, concurrency: number): Promise<AsyncJobs> {
    const { store, uploads } = this.#opened;
    const { config, logger } = this.#settings;
    const timing = { ...TIMING, ...this.#settings.timing, renewMs: config.leaseMs / 3 };
    const live = new LiveJobs();
    const runner = new JobRunner({
      claims: store.claims,
      uploads,
      executor,
      live,
      logger,
      timing,
      concurrency,
      maxAttempts: config.maxAttempts,
      onSettled: () => this.#sender.wake(),
    });
    const housekeeping: HousekeepingParts = {
      store,
      uploads,
      logger,
      maxAttempts: config.maxAttempts,
      everyMs: timing.tidyMs,
      onRecovered: () => {
        runner.wake();
        this.#sender.wake();
      },
    };
    await tidyAtStart(housekeeping);
    this.#runner = runner;
    runner.start();
    this.#sender.start();
    this.#tidying = keepTidy(housekeeping, this.#stopping.signal);
    return new DurableJobs({
      jobs: store.jobs,
      uploads,
      runner,
      live,
      checkWebhook: (tenant, url) => this.#checkWebhook(tenant, url),
      onWebhook: () => this.#sender.wake(),
      watchTiming: { pollMs: timing.pollMs, settleMs: timing.watchMs },
    });
  }

  async stop(hurry: AbortSignal): Promise<void> {
    this.#stopping.abort();
    await this.#runner?.stop(hurry);
    await Promise.all([this.#sender.stop(), this.#tidying]);
    await this.#opened.ledger.close();
    await this.#opened.store.close();
  }

  async #checkWebhook(tenant: string | null, url: string): Promise<void> {
    const { secretsOf, policy } = this.#settings;
    if (secretsOf(tenant).length === 0) {
      throw new SttError('INPUT_INVALID', 'webhook_url: no secret is configured to sign with');
    }
    await checkWebhookUrl(url, policy);
  }
}
