import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from '../../core/logger.ts';
import { AccessTokens } from './access-tokens.ts';
import { CLOSE_CODES } from './close-codes.ts';
import { Connection } from './connection.ts';
import { type ConnectionLimits, DEFAULT_CONNECTION_LIMITS } from './connection-parts.ts';
import type { LiveMeter, RealtimeCaller } from './contracts.ts';
import { isTrustedOrigin, keyInHeaders } from './credentials.ts';
import { addDeepgram } from './facades/add-deepgram.ts';
import { addOpenAi } from './facades/add-openai.ts';
import type { FacadeHost } from './facades/facade-route.ts';
import type { LiveSessions } from './live-sessions.ts';
import { RealtimeSockets, refuseSocket } from './realtime-sockets.ts';

export interface RealtimeOptions {
  /** Undefined while there is no engine yet. */
  sessions(): LiveSessions | undefined;
  /** The caller of a key; without one, whoever needs none. Undefined: refused. */
  identify(credential: string | undefined): RealtimeCaller | undefined;
  /** Name of the model that answers. */
  model?(): string | undefined;
  readonly logger: Logger;
  readonly meter?: LiveMeter;
  readonly limits?: Partial<ConnectionLimits>;
  /** Lifetime of a token for the URL. */
  readonly tokenSec?: number;
}

/** A second of float32 at 192 kHz in base64, with room. */
const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;
/** For clients to answer that the socket is closed. */
const CLOSE_GRACE_MS = 2000;

/** Adds `/stt/realtime` and the tokens for it. Sessions are the caller's to close. */
export async function registerRealtime(
  app: FastifyInstance,
  options: RealtimeOptions,
): Promise<void> {
  const tokens = new AccessTokens<RealtimeCaller>(options.tokenSec, 'rt_', ({ tenant }) => tenant);
  const limits = { ...DEFAULT_CONNECTION_LIMITS, ...options.limits };
  const sockets = new RealtimeSockets((code) => options.meter?.closed(code));
  await app.register(websocket, {
    options: { maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false },
    preClose: (done) => {
      sockets.restart();
      app.websocketServer.close(() => done());
      setTimeout(() => {
        for (const client of app.websocketServer.clients) client.terminate();
      }, CLOSE_GRACE_MS).unref();
    },
  });
  app.post('/stt/realtime/token', async (request, reply) => {
    const caller = options.identify(keyInHeaders(request));
    if (!caller) return reply.code(401).send({ error: UNAUTHENTICATED });
    const { token, expiresAtMs } = tokens.issue(caller);
    return { token, expires_at: new Date(expiresAtMs).toISOString() };
  });
  const config = { access: 'public' } as const; // The connection itself asks who it is.
  app.get('/stt/realtime', { websocket: true, config }, (socket, request) => {
    const sessions = options.sessions();
    const caller = callerOf(request, options, tokens);
    if (sessions === undefined) return refuseSocket(socket, CLOSE_CODES.busy, 'MODEL_LOADING');
    if (caller === 'refused') {
      return refuseSocket(socket, CLOSE_CODES.unauthenticated, 'UNAUTHENTICATED');
    }
    if (!isTrustedOrigin(request, caller)) {
      return refuseSocket(socket, CLOSE_CODES.forbidden, 'ORIGIN_FORBIDDEN');
    }
    const { identify, logger } = options;
    const parts = { sessions, limits, logger, caller, identify };
    sockets.serve(socket, (wire) => new Connection(wire, parts));
  });
  const host: FacadeHost = {
    sessions: () => options.sessions(),
    identify: (credential) => options.identify(credential),
    model: () => options.model?.() ?? 'whisper',
    ...{ logger: options.logger, limits, sockets },
  };
  addOpenAi(app, host);
  addDeepgram(app, host);
}

const UNAUTHENTICATED = {
  code: 'UNAUTHENTICATED',
  message: 'An API key is required: send Authorization: Bearer KEY',
  retryable: false,
} as const;

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
