import type { FileHandle } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { SttError } from '../core/errors.ts';
import { decodeContent } from './content-encoding.ts';
import { abortAfter } from './deadline.ts';
import { type Answer, type FetchRules, requestAudio } from './http-request.ts';
import type { AudioLimits, FetchTuning } from './limits.ts';
import { writeAt } from './spool.ts';
import { checkUrl, resolveRedirect } from './url-guard.ts';

const MAX_REDIRECTS = 5;
const DEFAULT_TUNING = { stallTimeoutMs: 30_000, attempts: 4, backoffMs: 500 };

type Attempt =
  | { readonly kind: 'done' }
  | {
      readonly kind: 'failed';
      readonly error: SttError;
      readonly retryAfterMs: number | undefined;
    };

/**
 * Downloads into `file`, which holds nothing else afterwards. Connection failures, stalls, 408, 425,
 * 429 and 5xx are tried again with growing waits until `fetchTimeoutMs` has passed; every URL on the
 * way, redirects included, is checked first.
 * @throws {SttError} URL_FORBIDDEN, AUDIO_NOT_FOUND, AUDIO_FETCH_REFUSED, AUDIO_TOO_LARGE,
 * AUDIO_UNSUPPORTED and AUDIO_UNDECODABLE (of a compressed body), AUDIO_FETCH_FAILED,
 * AUDIO_FETCH_TIMEOUT, DISK_FULL; and the signal's reason.
 */
export async function fetchAudio(
  rawUrl: string,
  file: FileHandle,
  limits: AudioLimits,
  signal: AbortSignal,
): Promise<void> {
  const tuning: FetchTuning = {
    ...DEFAULT_TUNING,
    checkUrl: (url) => checkUrl(url, limits),
    ...limits.fetchTuning,
  };
  const endsAtMs = performance.now() + limits.fetchTimeoutMs;
  const timeout = abortAfter(limits.fetchTimeoutMs);
  const stop = AbortSignal.any([signal, timeout]);
  const rules = { ...tuning, maxBytes: limits.maxBytes, stop };
  try {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await tryDownload(rawUrl, file, rules);
      if (outcome.kind === 'done') return;
      const waitMs = outcome.retryAfterMs ?? backoffWithJitterMs(tuning.backoffMs, attempt);
      const hasTime = performance.now() + waitMs < endsAtMs;
      if (attempt >= tuning.attempts || !hasTime) throw outcome.error;
      await wait(waitMs, undefined, { signal: stop });
    }
  } catch (thrown) {
    signal.throwIfAborted();
    if (!timeout.aborted) throw thrown;
    throw new SttError(
      'AUDIO_FETCH_TIMEOUT',
      `The download took longer than ${limits.fetchTimeoutMs} ms`,
      { cause: thrown },
    );
  }
}

/** Half of the wait is random, so that workers which failed together do not return together. */
const backoffWithJitterMs = (baseMs: number, attempt: number): number =>
  baseMs * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);

async function tryDownload(rawUrl: string, file: FileHandle, rules: FetchRules): Promise<Attempt> {
  const failed = (error: SttError, retryAfterMs?: number): Attempt => ({
    kind: 'failed',
    error,
    retryAfterMs,
  });
  try {
    const answer = await followRedirects(rawUrl, rules);
    try {
      const { status } = answer;
      if (mayPass(status)) return failed(unavailable(status), answer.retryAfterMs);
      if (status < 200 || status >= 300) throw refused(status);
      await saveBody(answer, file, rules.maxBytes);
      return { kind: 'done' };
    } finally {
      await answer.close();
    }
  } catch (thrown) {
    if (thrown instanceof SttError && thrown.code !== 'AUDIO_FETCH_TIMEOUT') throw thrown;
    rules.stop.throwIfAborted();
    if (thrown instanceof SttError) return failed(thrown);
    const cause = { cause: thrown };
    return failed(new SttError('AUDIO_FETCH_FAILED', 'The connection to the host failed', cause));
  }
}

/** The first answer that is not a redirect; it must be closed. */
async function followRedirects(rawUrl: string, rules: FetchRules): Promise<Answer> {
  let answer = await requestAudio(rawUrl, rules);
  for (let hop = 1; answer.location !== undefined; hop += 1) {
    await answer.close();
    if (hop > MAX_REDIRECTS) {
      throw new SttError('AUDIO_FETCH_REFUSED', `More than ${MAX_REDIRECTS} redirects were found`);
    }
    answer = await requestAudio(resolveRedirect(answer.location, answer.url), rules);
  }
  return answer;
}

async function saveBody(answer: Answer, file: FileHandle, maxBytes: number): Promise<void> {
  const { expectedBytes } = answer;
  if (expectedBytes !== undefined && expectedBytes > maxBytes) throw tooLarge(maxBytes);
  await file.truncate(0); // a try before this one may have written something
  let received = 0;
  const body = async function* () {
    for await (const chunk of answer.chunks()) {
      received += chunk.length;
      // A compressed body may be endless and yet hold nothing.
      if (received > maxBytes) throw tooLarge(maxBytes);
      yield chunk;
    }
    if (expectedBytes === undefined || expectedBytes === received) return;
    throw new Error('The body ended before its announced length');
  };
  let position = 0;
  for await (const chunk of decodeContent(body(), answer.contentEncoding)) {
    if (position + chunk.length > maxBytes) throw tooLarge(maxBytes);
    position = await writeAt(file, chunk, position);
  }
}

const tooLarge = (maxBytes: number): SttError =>
  new SttError('AUDIO_TOO_LARGE', `The audio has more than the allowed ${maxBytes} bytes`);

/** Of the host's moment, not of the URL. */
const mayPass = (status: number): boolean => [408, 425, 429].includes(status) || status >= 500;

const unavailable = (status: number): SttError =>
  new SttError('AUDIO_FETCH_FAILED', `The host answered ${status} instead of the audio`);

/** What the same request will be answered again. */
function refused(status: number): SttError {
  switch (status) {
    case 404:
    case 410:
      return new SttError('AUDIO_NOT_FOUND', `The host answered ${status}: it has no such file`);
    case 401:
    case 403:
      return new SttError(
        'AUDIO_FETCH_REFUSED',
        `The host answered ${status}: the URL needs a permission, or its signature has expired`,
      );
    default:
      return new SttError('AUDIO_FETCH_REFUSED', `The host answered ${status}, not the audio`);
  }
}
