import { Agent, request } from 'undici';
import { abortAfter } from '../../audio/deadline.ts';
import { retryAfterMs } from '../../audio/retry-after.ts';
import { type CheckedUrl, checkUrl, pinnedLookup, type UrlPolicy } from '../../audio/url-guard.ts';
import { SttError } from '../../core/errors.ts';
import type { SignedMessage } from './webhook-secrets.ts';

/** Of an attempt, the look-up of the host's name included. */
const TIMEOUT_MS = 15_000;
/** A caller waits for this one. */
const CHECK_TIMEOUT_MS = 5000;
const MAX_ANSWER_HEADER_BYTES = 16 * 1024;

export interface ReceiverAnswer {
  /** Null: there was no answer. */
  readonly status: number | null;
  readonly retryAfterMs?: number | undefined;
  readonly error?: SttError;
}

/** Finds out where a URL leads; for tests another resolver. */
export type CheckUrl = (url: string, policy: UrlPolicy) => Promise<CheckedUrl>;

/**
 * Whether messages may go there at all, for the moment when a caller names the URL.
 * @throws {SttError} URL_FORBIDDEN
 */
export async function checkWebhookUrl(
  url: string,
  policy: UrlPolicy,
  check: CheckUrl = checkUrl,
): Promise<void> {
  await within(check(url, policy), abortAfter(CHECK_TIMEOUT_MS)).catch((thrown: unknown) => {
    if (thrown instanceof SttError && thrown.code === 'URL_FORBIDDEN') throw thrown;
    throw new SttError('URL_FORBIDDEN', 'The host of the webhook URL is unknown', {
      cause: thrown,
    });
  });
}

export interface PostOptions {
  readonly policy: UrlPolicy;
  readonly signal: AbortSignal;
  readonly check?: CheckUrl;
  readonly timeoutMs?: number;
}

/**
 * Sends the message once, to an address that has just been checked; follows no redirect and reads
 * no answer but its status. Never throws, and takes no longer than 15 s.
 */
export async function postMessage(
  url: string,
  message: SignedMessage,
  { policy, signal, check = checkUrl, timeoutMs = TIMEOUT_MS }: PostOptions,
): Promise<ReceiverAnswer> {
  const deadline = AbortSignal.any([signal, abortAfter(timeoutMs)]);
  let agent: Agent | undefined;
  try {
    const checked = await within(check(url, policy), deadline);
    agent = new Agent({
      connect: { lookup: pinnedLookup(checked.addresses) },
      maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
    });
    const response = await request(checked.url, {
      method: 'POST',
      dispatcher: agent,
      headers: { ...message.headers, 'user-agent': 'stt-worker' },
      body: message.body,
      signal: deadline,
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

/** A look-up cannot be ended, only no longer waited for. */
function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
