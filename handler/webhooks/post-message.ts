import { Agent, request } from 'undici';
import { abortAfter } from '../../audio/deadline.ts';
import { retryAfterMs } from '../../audio/retry-after.ts';
import { checkUrl, pinnedLookup, type UrlPolicy } from '../../audio/url-guard.ts';
import { SttError } from '../../core/errors.ts';
import type { SignedMessage } from './webhook-secrets.ts';

const TIMEOUT_MS = 15_000;
const MAX_ANSWER_HEADER_BYTES = 16 * 1024;

export interface ReceiverAnswer {
  /** Null: there was no answer. */
  readonly status: number | null;
  readonly retryAfterMs?: number | undefined;
  readonly error?: SttError;
}

/**
 * Whether messages may go there at all, for the moment when a caller names the URL.
 * @throws {SttError} URL_FORBIDDEN
 */
export async function checkWebhookUrl(url: string, policy: UrlPolicy): Promise<void> {
  await checkUrl(url, policy).catch((thrown: unknown) => {
    if (thrown instanceof SttError) throw thrown;
    throw new SttError('URL_FORBIDDEN', 'The host of the webhook URL is unknown', {
      cause: thrown,
    });
  });
}

/**
 * Sends the message once, to an address that has just been checked; follows no redirect and reads
 * no answer but its status. Never throws.
 */
export async function postMessage(
  url: string,
  message: SignedMessage,
  policy: UrlPolicy,
  signal: AbortSignal,
): Promise<ReceiverAnswer> {
  let agent: Agent | undefined;
  try {
    const checked = await checkUrl(url, policy);
    agent = new Agent({
      connect: { lookup: pinnedLookup(checked.addresses) },
      maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
    });
    const response = await request(checked.url, {
      method: 'POST',
      dispatcher: agent,
      headers: { ...message.headers, 'user-agent': 'stt-worker' },
      body: message.body,
      signal: AbortSignal.any([signal, abortAfter(TIMEOUT_MS)]),
    });
    response.body.on('error', () => undefined); // it is not read, and closing it is not a failure
    const retryAfter = response.headers['retry-after'];
    return {
      status: response.statusCode,
      retryAfterMs: retryAfterMs(typeof retryAfter === 'string' ? retryAfter : undefined),
    };
  } catch (thrown) {
    return { status: null, error: SttError.from(thrown) };
  } finally {
    await agent?.destroy();
  }
}
