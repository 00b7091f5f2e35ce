import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** A client that takes nothing of its answer for so long loses its connection. */
const SEND_IDLE_MS = 30_000;

/** While an answer is computed nothing moves on its connection; while it is sent something must. */
export function limitSending(app: FastifyInstance): void {
  app.addHook('onSend', async (_, reply) => limitIdle(reply.raw));
}

/** From now on the client has to take what is sent; the next request begins anew. */
export function limitIdle({ socket }: ServerResponse): void {
  if (socket instanceof Socket) socket.setTimeout(SEND_IDLE_MS);
}
