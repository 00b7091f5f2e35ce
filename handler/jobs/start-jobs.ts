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
import { type WebhookOutcome, WebhookSender } from '../webhooks/webhook-sender.ts';
import type { AsyncJobs, JobExecutor } from './contracts.ts';
import { DurableJobs } from './durable-jobs.ts';
import { type HousekeepingParts, keepTidy, tidyAtStart } from './housekeeping.ts';
import { JobRunner, type RunnerParts } from './job-runner.ts';
import { LiveJobs } from './live-jobs.ts';
import type { QueueLimits } from './queue-room.ts';
import { UploadFolder } from './upload-folder.ts';

const TIMING = {
  pollMs: 1000,
  progressMs: 2000,
  rerunMs: 10_000,
  storeRetryMs: 2000,
  tidyMs: 30_000,
  watchMs: 100,
  deliveryLeaseMs: 30_000,
};
type JobsTiming = typeof TIMING;

export interface JobsSettings {
  readonly config: Config['jobs'];
  /** What may wait, by tenant. */
  readonly limitsOf: (tenant: string | null) => QueueLimits;
  readonly logger: Logger;
  /** Where webhooks may lead. */
  readonly policy: UrlPolicy;
  readonly secretsOf: WebhookSecretsOf;
  readonly onDelivery?: (outcome: WebhookOutcome) => void;
  readonly timing?: Partial<JobsTiming>;
  readonly webhookWaitsMs?: readonly number[];
  /** Another way to the database than DATA_DIR and DATABASE_URL. */
  readonly openStore?: typeof openStore;
}

/** How the jobs of a process are run. */
export interface RunSettings extends Pick<RunnerParts, 'concurrency' | 'mayRun' | 'ready'> {
  readonly executor: JobExecutor;
  readonly repeatsFailures?: RunnerParts['repeatsFailures'];
}

/** The database is open and jobs are accepted; they run after `start`. */
export interface JobsHome {
  readonly ledger: UsageLedger;
  readonly jobs: AsyncJobs;
  readonly store: Store;
  /** Begins to run what waits, once it may; what a dead predecessor ran included. To be called once. */
  start(settings: RunSettings): void;
  /** Takes no more jobs; those not done when `hurry` fires run again after the next start. */
  stop(hurry: AbortSignal): Promise<void>;
}

/**
 * Opens what survives a restart, and tidies up behind a predecessor that was killed.
 * @throws {SttError} STORE_UNAVAILABLE
 */
export async function openJobs(settings: JobsSettings): Promise<JobsHome> {
  const { config, logger } = settings;
  const dataDir = resolve(config.dataDir);
  const open = settings.openStore ?? openStore;
  const store = await open({ ...config, dataDir }, (err) =>
    logger.warn({ err }, 'database connection lost'),
  );
  const refreshMs = config.leaseMs;
  try {
    const uploads = await UploadFolder.open(dataDir);
    const home = new OpenJobs(settings, {
      store,
      uploads,
      ledger: await DurableUsageLedger.open(store.usage, { logger, refreshMs }),
    });
    await home.tidy();
    return home;
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
  readonly jobs: AsyncJobs;
  readonly #settings: JobsSettings;
  readonly #opened: Opened;
  readonly #timing: JobsTiming;
  readonly #sender: WebhookSender;
  readonly #live = new LiveJobs();
  readonly #stopping = new AbortController();
  #runner: JobRunner | undefined;
  #tidying: Promise<void> = Promise.resolve();

  constructor(settings: JobsSettings, opened: Opened) {
    this.#settings = settings;
    this.#opened = opened;
    this.#timing = { ...TIMING, ...settings.timing };
    const { store, uploads } = opened;
    const { policy, secretsOf, logger, onDelivery, limitsOf, webhookWaitsMs: waitsMs } = settings;
    this.#sender = new WebhookSender({
      deliveries: store.deliveries,
      policy,
      secretsOf,
      logger,
      leaseMs: this.#timing.deliveryLeaseMs,
      ...(onDelivery && { onOutcome: onDelivery }),
      ...(waitsMs && { waitsMs }),
      bodyOf: async ({ tenant, jobId }) => {
        const row = await store.jobs.get(tenant, jobId);
        return row && messageBodyOf(toJobView(row));
      },
    });
    this.jobs = new DurableJobs({
      jobs: store.jobs,
      uploads,
      runner: {
        wake: () => this.#runner?.wake(),
        abort: (id) => this.#runner?.abort(id),
        runningOf: (tenant) => this.#runner?.runningOf(tenant) ?? 0,
      },
      live: this.#live,
      limitsOf,
      checkWebhook: (tenant, url) => this.#checkWebhook(tenant, url),
      onWebhook: () => this.#sender.wake(),
      watchTiming: { pollMs: this.#timing.pollMs, settleMs: this.#timing.watchMs },
    });
  }

  get ledger(): UsageLedger {
    return this.#opened.ledger;
  }

  get store(): Store {
    return this.#opened.store;
  }

  tidy(): Promise<void> {
    return tidyAtStart(this.#housekeeping);
  }

  start({ executor, repeatsFailures = () => false, ...how }: RunSettings): void {
    const { store, uploads } = this.#opened;
    const { config, logger } = this.#settings;
    this.#runner = new JobRunner({
      ...how,
      repeatsFailures,
      claims: store.claims,
      uploads,
      executor,
      live: this.#live,
      logger,
      timing: { ...this.#timing, renewMs: config.leaseMs / 3 },
      maxAttempts: config.maxAttempts,
      onSettled: () => this.#sender.wake(),
    });
    this.#runner.start();
    this.#sender.start();
    this.#tidying = keepTidy(this.#housekeeping, this.#stopping.signal);
  }

  async stop(hurry: AbortSignal): Promise<void> {
    this.#stopping.abort();
    await this.#runner?.stop(hurry);
    await Promise.all([this.#sender.stop(), this.#tidying]);
    await this.#opened.ledger.close();
    await this.#opened.store.close();
  }

  get #housekeeping(): HousekeepingParts {
    const { store, uploads } = this.#opened;
    const { config, logger } = this.#settings;
    return {
      store,
      uploads,
      logger,
      maxAttempts: config.maxAttempts,
      maxWaitMs: config.maxWaitMs,
      everyMs: this.#timing.tidyMs,
      heldLeases: () => this.#runner?.heldLeases() ?? [],
      onRecovered: () => {
        this.#runner?.wake();
        this.#sender.wake();
      },
    };
  }

  async #checkWebhook(tenant: string | null, url: string): Promise<void> {
    const { secretsOf, policy } = this.#settings;
    if (secretsOf(tenant).length === 0) {
      throw new SttError('INPUT_INVALID', 'webhook_url: no secret is configured to sign with');
    }
    await checkWebhookUrl(url, policy);
  }
}
