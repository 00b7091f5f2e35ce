import type { FastifyReply, FastifyRequest } from 'fastify';

/** Proxies close what says nothing for a minute. */
const HEARTBEAT_MS = 15_000;

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
    this.#heartbeat = setInterval(() => this.#write(': waiting\n\n'), HEARTBEAT_MS);
  }

  send(event: string, data: unknown): void {
    this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** An event without a name, as OpenAI's clients read them: the type is inside. */
  sendUnnamed(data: unknown): void {
    this.#write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#reply.raw.end();
  }

  #write(text: string): void {
    const { raw } = this.#reply;
    if (!raw.writableEnded && !raw.destroyed) raw.write(text);
  }
}
