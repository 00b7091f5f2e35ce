import { arch, release, type } from 'node:os';
import { Agent, request } from 'undici';
import { encoded } from './urls.ts';

export interface PollReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface PollOptions {
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly maxBytes: number;
}

export interface PostOptions {
  readonly body: string;
  readonly jobId: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const BODY_STALL_MS = 30_000;

/** What every request carries. The key goes out raw: the platform knows no `Bearer` here. */
export const platformHeaders = (apiKey: string, version: string): PlatformHeaders => ({
  Authorization: apiKey,
  'User-Agent': `stt-worker/${version} (${type()} ${release()}; ${arch()}) Node/${process.versions.node}`,
  Accept: '*/*',
});

export type PlatformHeaders = Readonly<Record<string, string>>;

/** The worker-facing API of RunPod, one method per kind of request. Network failures throw. */
export class ApiClient {
  readonly #agent = new Agent({ bodyTimeout: BODY_STALL_MS });
  readonly #headers: PlatformHeaders;

  constructor(headers: PlatformHeaders) {
    this.#headers = headers;
  }

  /**
   * A long poll; `undefined` when it timed out or was cancelled.
   * Once the reply has begun it is read to its end: it may carry a job that nobody else will get.
   */
  async poll(
    url: string,
    { timeoutMs, graceMs, maxBytes }: PollOptions,
    signal: AbortSignal,
  ): Promise<PollReply | undefined> {
    const waiting = new PollWait(timeoutMs, graceMs, signal);
    try {
      const { statusCode, headers, body } = await request(url, {
        dispatcher: this.#agent,
        headers: { ...this.#headers, 'Content-Type': 'application/json' },
        signal: waiting.signal,
      }).finally(() => waiting.end());
      return {
        status: statusCode,
        contentType: String(headers['content-type'] ?? ''),
        body: await readText(body, maxBytes),
      };
    } catch (thrown) {
      if (waiting.signal.aborted) return undefined;
      throw thrown;
    }
  }

  /** Any GET whose answer does not matter; returns its status. */
  async get(url: string, timeoutMs: number): Promise<number> {
    const { statusCode, body } = await request(url, {
      dispatcher: this.#agent,
      headers: this.#headers,
      signal: AbortSignal.timeout(timeoutMs),
    });
    await body.dump();
    return statusCode;
  }

  /** Posts JSON text under the form content type, as RunPod's own worker does. */
  async post(url: string, { body, jobId, timeoutMs, signal }: PostOptions): Promise<number> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const reply = await request(url, {
      dispatcher: this.#agent,
      method: 'POST',
      headers: {
        ...this.#headers,
        'Content-Type': 'application/x-www-form-urlencoded',
        charset: 'utf-8',
        'X-Request-ID': encoded(jobId),
      },
      body,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    await reply.body.dump();
    return reply.statusCode;
  }

  /** Drops every connection, requests under way included. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** Gives a poll up after its time, or a grace after it was cancelled, but only until `end`. */
class PollWait {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #cancelled: AbortSignal;
  readonly #cancel: () => void;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number, graceMs: number, cancelled: AbortSignal) {
    const abort = (): void => this.#controller.abort();
    this.#timer = setTimeout(abort, timeoutMs);
    this.#cancelled = cancelled;
    this.#cancel = () => {
      this.#graceTimer = setTimeout(abort, graceMs);
    };
    if (cancelled.aborted) this.#cancel();
    else cancelled.addEventListener('abort', this.#cancel, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#graceTimer);
    this.#cancelled.removeEventListener('abort', this.#cancel);
  }
}

/** @throws {RangeError} when the body is longer than allowed. */
async function readText(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of body) {
    sizeBytes += piece.byteLength;
    if (sizeBytes > maxBytes) throw new RangeError(`Reply longer than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
