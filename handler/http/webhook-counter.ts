import { Counter, type Registry } from 'prom-client';
import type { WebhookOutcome } from '../webhooks/webhook-sender.ts';

/** What attempts to deliver webhooks came to, for Prometheus. */
export class WebhookCounter {
  readonly #counter = new Counter({
    name: 'stt_webhooks_total',
    help: 'Attempts to deliver webhooks, by outcome',
    labelNames: ['outcome'],
    registers: [],
  });

  register(registry: Registry): void {
    registry.registerMetric(this.#counter);
  }

  count(outcome: WebhookOutcome): void {
    this.#counter.inc({ outcome });
  }
}
