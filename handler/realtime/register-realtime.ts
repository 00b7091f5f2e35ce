import websocket, { type WebSocket } from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from '../../core/logger.ts';
import { AccessTokens } from './access-tokens.ts';
import { CLOSE_CODES } from './close-codes.ts';
import { Connection } from './connection.ts';
import { type ConnectionLimits, DEFAULT_CONNECTION_LIMITS } from './connection-parts.ts';
import type { RealtimeCaller } from './contracts.ts';
import type { LiveSessions } from './live-sessions.ts';

export interface RealtimeOptions {
  /** Undefined while there is no engine yet. */
  sessions(): LiveSessions | undefined;
  /** The caller of a key; without one, whoever needs none. Undefined: refused. */
  identify(credential: string | undefined): RealtimeCaller | undefined;
  readonly logger: Logger;
  readonly limits?: Partial<ConnectionLimits>;
  /** Lifetime of a token for the URL. */
  readonly tokenSec?: number;
}

/** A second of float32 at 192 kHz in base64, with room. */
const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;
const PING_MS = 20_000;
/** For clients to answer that the socket is closed. */
const CLOSE_GRACE_MS = 2000;
/** A client that reads so slowly loses its socket; the session waits for it. */
const MAX_UNSENT_BYTES = 8 * 1024 * 1024;

/** Adds `/stt/realtime` and the tokens for it. Sessions are the caller's to close. */
export async function registerRealtime(
  app: FastifyInstance,
  options: RealtimeOptions,
): Promise<void> {
  const tokens = new AccessTokens<RealtimeCaller>(options.tokenSec);
  const limits = { ...DEFAULT_CONNECTION_LIMITS, ...options.limits };
  const open = new Set<Connection>();
  await app.register(websocket, {
    options: { maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false },
    preClose: (done) => {
      for (const connection of open) connection.restart();
      app.websocketServer.close(() => done());
      setTimeout(() => {
        for (const client of app.websocketServer.clients) client.terminate();
      }, CLOSE_GRACE_MS).unref();
    },
  });
  app.post('/stt/realtime/token', { config: { access: 'public' } }, async (request, reply) => {
    const caller = options.identify(keyInHeaders(request));
    if (!caller) return reply.code(401).send({ error: UNAUTHENTICATED });
    const { token, expiresAtMs } = tokens.issue(caller);
    return { token, expires_at: new Date(expiresAtMs).toISOString() };
  });
  const config = { access: 'public' } as const; // The connection itself asks who it is.
  app.get('/stt/realtime', { websocket: true, config }, (socket, request) => {
    const sessions = options.sessions();
    const caller = callerOf(request, options, tokens);
    if (sessions === undefined) return refuse(socket, CLOSE_CODES.busy, 'MODEL_LOADING');
    if (caller === 'refused') return refuse(socket, CLOSE_CODES.unauthenticated, 'UNAUTHENTICATED');
    if (!isTrustedOrigin(request, caller)) {
      return refuse(socket, CLOSE_CODES.forbidden, 'ORIGIN_FORBIDDEN');
    }
    const { identify, logger } = options;
    const parts = { sessions, limits, logger, caller, identify };
    const connection = new Connection(wireOf(socket), parts);
    open.add(connection);
    socket.on('close', () => open.delete(connection));
    serve(socket, connection);
  });
}

const UNAUTHENTICATED = {
  code: 'UNAUTHENTICATED',
  message: 'An API key is required: send Authorization: Bearer KEY',
  retryable: false,
} as const;

function serve(socket: WebSocket, connection: Connection): void {
  let isAlive = true;
  const pinging = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, PING_MS).unref();
  socket.on('pong', () => {
    isAlive = true;
  });
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    isAlive = true;
    if (isBinary) connection.receiveAudio(data);
    else connection.receiveText(data.toString('utf8'));
  });
  socket.on('error', () => undefined); // A close follows.
  socket.on('close', () => {
    clearInterval(pinging);
    connection.closed();
  });
}

const wireOf = (socket: WebSocket) => ({
  send: (text: string): void => {
    if (socket.bufferedAmount > MAX_UNSENT_BYTES) socket.terminate();
    else if (socket.readyState === socket.OPEN) socket.send(text);
  },
  close: (code: number, reason: string): void => socket.close(code, reason),
  pause: (): void => socket.pause(),
  resume: (): void => socket.resume(),
});

function refuse(socket: WebSocket, code: number, reason: string): void {
  socket.on('error', () => undefined);
  socket.close(code, reason);
}

/** By header, or by a token in the URL; undefined where the first message may still tell. */
function callerOf(
  request: FastifyRequest,
  { identify }: RealtimeOptions,
  tokens: AccessTokens<RealtimeCaller>,
): RealtimeCaller | undefined | 'refused' {
  const key = keyInHeaders(request);
  if (key !== undefined) return identify(key) ?? 'refused';
  const { token } = request.query as { readonly token?: unknown };
  if (typeof token === 'string') return tokens.redeem(token) ?? 'refused';
  return identify(undefined);
}

function keyInHeaders({ headers }: FastifyRequest): string | undefined {
  const bearer = /^(?:Bearer|Token) +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const { 'x-api-key': apiKey } = headers;
  return bearer ?? (typeof apiKey === 'string' ? apiKey.trim() : undefined);
}

/** Where no key is asked for, pages of other sites must not use the visitor's own service. */
function isTrustedOrigin({ headers }: FastifyRequest, caller: RealtimeCaller | undefined): boolean {
  const { origin, host } = headers;
  if (origin === undefined || caller === undefined || caller.tenant !== null) return true;
  const hostname = URL.canParse(origin) ? new URL(origin) : undefined;
  if (hostname === undefined) return false;
  return hostname.host === host || ['localhost', '127.0.0.1', '[::1]'].includes(hostname.hostname);
}
