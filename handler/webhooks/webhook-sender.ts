import { randomUUID } from 'node:crypto';
import type { UrlPolicy } from '../../audio/url-guard.ts';
import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { pause } from '../runpod/pause.ts';
import type { Delivery, DeliveryStore } from '../store/delivery-store.ts';
import { postMessage } from './post-message.ts';
import { outcomeOf } from './retry-schedule.ts';
import { signMessage, type WebhookSecretsOf } from './webhook-secrets.ts';

const MAX_AT_ONCE = 16;
/** A tenant whose receivers hang does not take the places of all. */
const MAX_OF_TENANT = 4;
/** Deliveries of other processes' jobs, and clocks that were set, are noticed after this. */
const MAX_SLEEP_MS = 30_000;

export interface WebhookParts {
  readonly deliveries: DeliveryStore;
  /** The body of the message; undefined if there is nothing to tell any more. */
  readonly bodyOf: (delivery: Delivery) => Promise<string | undefined>;
  readonly secretsOf: WebhookSecretsOf;
  readonly policy: UrlPolicy;
  readonly logger: Logger;
  readonly waitsMs?: readonly number[];
  /** Longer than an attempt may take: whoever does not record it in time has died. */
  readonly leaseMs: number;
  readonly onOutcome?: (outcome: WebhookOutcome) => void;
}

/** What an attempt came to. */
export type WebhookOutcome = 'delivered' | 'retried' | 'given_up';

const OUTCOMES = { delivered: 'delivered', failed: 'given_up', pending: 'retried' } as const;

/** Delivers messages at least once, with waits that survive a restart. */
export class WebhookSender {
  readonly #parts: WebhookParts;
  readonly #stopping = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  #wakeUp = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: WebhookParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#loop = this.#deliver();
  }

  /** There may be something to send. */
  wake(): void {
    this.#wakeUp.abort();
  }

  /** Gives up attempts that are under way; they are made again after the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await this.#loop;
  }

  async #deliver(): Promise<void> {
    const { deliveries, logger } = this.#parts;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#wakeUp = new AbortController();
      let sleepMs = MAX_SLEEP_MS;
      try {
        const askedMs = deliveries.now();
        while (this.#sending.size < MAX_AT_ONCE && (await this.#takeOne()));
        sleepMs = Math.min(sleepMs, (await deliveries.nextDueMs(askedMs)) ?? sleepMs);
      } catch (thrown) {
        logger.warn({ err: SttError.from(thrown) }, 'webhook store failed');
      }
      if (this.#sending.size === MAX_AT_ONCE) sleepMs = MAX_SLEEP_MS; // until one has ended
      await pause(Math.max(1, sleepMs), this.#wakeUp.signal);
    }
    await Promise.all(this.#sending);
  }

  async #takeOne(): Promise<boolean> {
    if (this.#stopping.signal.aborted) return false;
    const lease = randomUUID();
    const delivery = await this.#parts.deliveries.claim(lease, {
      leaseMs: this.#parts.leaseMs,
      maxOfTenant: MAX_OF_TENANT,
    });
    if (delivery === undefined) return false;
    const sending = this.#attempt(delivery, lease)
      .catch((thrown: unknown) => this.#postpone(delivery, lease, thrown))
      .finally(() => {
        this.#sending.delete(sending);
        this.wake();
      });
    this.#sending.add(sending);
    return true;
  }

  /** Something of ours failed: a missing secret, the database. */
  async #postpone({ jobId, attempts }: Delivery, lease: string, thrown: unknown): Promise<void> {
    const { deliveries, logger, waitsMs } = this.#parts;
    logger.warn({ requestId: jobId, err: SttError.from(thrown) }, 'webhook not sent');
    const outcome = outcomeOf({ status: null }, attempts, waitsMs && { waitsMs });
    await deliveries.record(lease, outcome).catch(() => undefined); // due again when the lease ends
  }

  async #attempt(delivery: Delivery, lease: string): Promise<void> {
    const { deliveries, bodyOf, secretsOf, policy, logger, waitsMs, onOutcome } = this.#parts;
    const { id, jobId, tenant, url, attempts } = delivery;
    const body = await bodyOf(delivery);
    if (body === undefined) return; // deleted meanwhile, and its deliveries with it
    const message = signMessage(id, body, { secrets: secretsOf(tenant), now: new Date() });
    const answer = await postMessage(url, message, { policy, signal: this.#stopping.signal });
    if (this.#stopping.signal.aborted && answer.status === null) {
      await deliveries.record(lease, { state: 'pending', status: null, retryMs: 0 });
      return;
    }
    const outcome = outcomeOf(answer, attempts, waitsMs && { waitsMs });
    await deliveries.record(lease, outcome);
    const { status, error: err } = answer;
    const fields = { requestId: jobId, tenant, webhookId: id, attempts, status };
    onOutcome?.(OUTCOMES[outcome.state]);
    if (outcome.state === 'delivered') logger.info(fields, 'webhook delivered');
    else if (outcome.state === 'failed') logger.warn({ ...fields, err }, 'webhook given up');
    else logger.info({ ...fields, retryMs: outcome.retryMs, err }, 'webhook failed');
  }
}
