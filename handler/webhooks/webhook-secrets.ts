import { Webhook } from 'standardwebhooks';
import { SttError } from '../../core/errors.ts';

const PREFIX = 'whsec_';
const MIN_BYTES = 24;
export const WEBHOOK_SECRET_FORM = `expected ${PREFIX} and at least ${MIN_BYTES} bytes in base64`;

/** Whether it is a secret that messages can be signed with, long enough to be one. */
export const isWebhookSecret = (text: string): boolean =>
  text.startsWith(PREFIX) &&
  /^[A-Za-z0-9+/]+={0,2}$/.test(text.slice(PREFIX.length)) &&
  Buffer.from(text.slice(PREFIX.length), 'base64').length >= MIN_BYTES;

/** @throws {SttError} INPUT_INVALID, before the first message needs one. */
export function assertWebhookSecrets(secrets: readonly string[]): void {
  if (secrets.every(isWebhookSecret)) return;
  throw new SttError('INPUT_INVALID', `WEBHOOK_SECRETS: ${WEBHOOK_SECRET_FORM}`);
}

/**
 * What a tenant's messages are signed with: `whsec_` and base64, as Standard Webhooks has it. Two
 * while one replaces the other, the new one first; none forbids webhooks.
 */
export type WebhookSecretsOf = (tenant: string | null) => readonly string[];

export interface SignedMessage {
  readonly id: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Signs with every secret, so that a receiver may know either.
 * @throws {SttError} INTERNAL if there is no secret, or one is not base64.
 */
export function signMessage(
  id: string,
  body: string,
  { secrets, now }: { readonly secrets: readonly string[]; readonly now: Date },
): SignedMessage {
  if (secrets.length === 0) throw new SttError('INTERNAL', 'The tenant has no webhook secret');
  const signatures = secrets.map((secret) => webhookOf(secret).sign(id, now, body));
  return {
    id,
    body,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': signatures.join(' '),
    },
  };
}

function webhookOf(secret: string): Webhook {
  try {
    return new Webhook(secret);
  } catch {
    // Without the cause, whose message could quote the secret.
    throw new SttError('INTERNAL', 'A webhook secret is not whsec_ and base64');
  }
}
