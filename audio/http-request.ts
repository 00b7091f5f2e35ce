import { Agent, type Dispatcher, request } from 'undici';
import { SttError } from '../core/errors.ts';
import type { FetchTuning } from './limits.ts';
import { retryAfterMs } from './retry-after.ts';
import { pinnedLookup } from './url-guard.ts';

const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface FetchRules extends FetchTuning {
  readonly maxBytes: number;
  /** The caller's signal and the total timeout together. */
  readonly stop: AbortSignal;
}

/** The head of a response, with its body still to come; `close` ends the connection. */
export interface Answer {
  readonly url: URL;
  readonly status: number;
  /** Where a redirect says to go; not checked yet. */
  readonly location: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** Of the body as it is sent, which `contentEncoding` may have made smaller. */
  readonly expectedBytes: number | undefined;
  readonly contentEncoding: string;
  chunks(): AsyncGenerator<Uint8Array>;
  close(): Promise<void>;
}

/**
 * One GET to one checked URL on a connection of its own, which may go nowhere else.
 * @throws {SttError} URL_FORBIDDEN; AUDIO_FETCH_TIMEOUT if the host is silent for too long. The
 * errors of DNS, sockets and TLS pass through.
 */
export async function requestAudio(rawUrl: string | URL, rules: FetchRules): Promise<Answer> {
  const watch = watchStall(rules);
  let agent: Agent | undefined;
  const close = async (): Promise<void> => {
    watch.end();
    await agent?.destroy();
  };
  try {
    const { url, addresses } = await orAborted(rules.checkUrl(rawUrl), watch.signal);
    agent = new Agent({ connect: { lookup: pinnedLookup(addresses), timeout: 0 } });
    const response = await request(url, {
      dispatcher: agent,
      // Audio is compressed already; what was stored compressed comes so all the same.
      headers: { 'accept-encoding': 'identity', 'user-agent': 'stt-worker' },
      signal: watch.signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    response.body.on('error', () => undefined); // closing early is not a failure
    watch.restart();
    return { ...describe(url, response), chunks: () => readBody(response.body, watch), close };
  } catch (thrown) {
    await close();
    throw watch.explain(thrown);
  }
}

type StallWatch = ReturnType<typeof watchStall>;

/** undici's own timers tick about once a second and start anew at every stage; this one is exact. */
function watchStall({ stallTimeoutMs, stop }: FetchRules) {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(), stallTimeoutMs);
  return {
    signal: AbortSignal.any([stop, stalled.signal]),
    restart: (): unknown => timer.refresh(),
    end: (): void => clearTimeout(timer),
    explain: (thrown: unknown): unknown =>
      stalled.signal.aborted && !stop.aborted
        ? new SttError('AUDIO_FETCH_TIMEOUT', `The host sent nothing for ${stallTimeoutMs} ms`, {
            cause: thrown,
          })
        : thrown,
  };
}

async function* readBody(
  body: Dispatcher.ResponseData['body'],
  watch: StallWatch,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) {
      yield chunk as Uint8Array;
      watch.restart(); // after the yield, so that a slow disk is not taken for a slow host
    }
  } catch (thrown) {
    throw watch.explain(thrown);
  }
}

function describe(url: URL, { statusCode, headers }: Dispatcher.ResponseData) {
  const location = REDIRECT_STATUSES.has(statusCode) ? headers['location'] : undefined;
  const length = headers['content-length'];
  const retryAfter = headers['retry-after'];
  return {
    url,
    status: statusCode,
    location: typeof location === 'string' ? location : undefined,
    retryAfterMs: retryAfterMs(typeof retryAfter === 'string' ? retryAfter : undefined),
    expectedBytes: length === undefined ? undefined : Number(length),
    contentEncoding: String(headers['content-encoding'] ?? ''),
  };
}

/** DNS cannot be cancelled, only no longer waited for. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
    work.then(resolve, reject);
  });
}
