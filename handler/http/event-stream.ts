import { once } from 'node:events';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { limitIdle } from './send-limits.ts';

/** Proxies close what says nothing for a minute. */
const HEARTBEAT_MS = 15_000;
/** What waits for a client that reads slowly; a result and its segments are far smaller. */
const MAX_UNSENT_BYTES = 64 * 1024 * 1024;
const textByEvent = new WeakMap<object, string>();

/** Whether the client asked for events rather than one document. */
export const wantsEvents = ({ headers }: FastifyRequest): boolean =>
  /\btext\/event-stream\b/i.test(headers.accept ?? '');

/** Server-sent events as an answer; everything after `close` is dropped. */
export class EventStream {
  readonly #reply: FastifyReply;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(reply: FastifyReply) {
    this.#reply = reply;
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    reply.raw.setHeader('content-type', 'text/event-stream; charset=utf-8');
    // Proxies must not hold events back.
    reply.raw.setHeader('x-accel-buffering', 'no');
    reply.raw.flushHeaders();
    limitIdle(reply.raw);
    this.#heartbeat = setInterval(() => this.#write(': waiting\n\n'), HEARTBEAT_MS);
  }

  send(event: string, data: unknown): void {
    this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** As `send`; many streams that send the same object write it as text once. */
  sendShared(event: string, source: object, dataOf: () => unknown): void {
    let text = textByEvent.get(source);
    if (text === undefined) {
      text = JSON.stringify(dataOf());
      textByEvent.set(source, text);
    }
    this.#write(`event: ${event}\ndata: ${text}\n\n`);
  }

  /** An event without a name, as OpenAI's clients read them: the type is inside. */
  sendUnnamed(data: unknown): void {
    this.#write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
  }

  /** Resolves once the client can take more, or is gone. */
  async drained(): Promise<void> {
    const { raw } = this.#reply;
    if (!raw.writableNeedDrain || raw.destroyed) return;
    const stop = new AbortController();
    const { signal } = stop;
    const either = [once(raw, 'drain', { signal }), once(raw, 'close', { signal })];
    await Promise.race(either).catch(() => undefined);
    for (const event of either) event.catch(() => undefined);
    stop.abort();
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#reply.raw.end();
  }

  #write(text: string): void {
    const { raw } = this.#reply;
    if (raw.writableEnded || raw.destroyed) return;
    raw.write(text);
    if (raw.writableLength > MAX_UNSENT_BYTES) raw.destroy();
  }
}
