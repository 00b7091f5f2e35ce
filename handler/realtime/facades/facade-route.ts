import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SttError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/logger.ts';
import { retryAfterSecOf } from '../../http/failures.ts';
import { Connection } from '../connection.ts';
import type { ConnectionLimits, SessionLink, SocketSpeaker, Wire } from '../connection-parts.ts';
import type { RealtimeCaller } from '../contracts.ts';
import { isTrustedOrigin } from '../credentials.ts';
import type { LiveSessions } from '../live-sessions.ts';
import type { RealtimeSockets } from '../realtime-sockets.ts';
import type { ServerMessage } from '../server-messages.ts';
import type { SessionManner } from '../session-contracts.ts';

/** What every facade shares with `/stt/realtime`. */
export interface FacadeHost {
  sessions(): LiveSessions | undefined;
  identify(credential: string | undefined): RealtimeCaller | undefined;
  /** Name of the model that answers, whatever a client asks for. */
  model(): string;
  readonly logger: Logger;
  readonly limits: ConnectionLimits;
  readonly sockets: RealtimeSockets;
}

/** Opens the link to a live session; nothing is recognised before it is told `start_session`. */
export type LinkToSession = (
  wire: Wire<ServerMessage>,
  manner: Omit<SessionManner, 'isResumable'>,
) => SessionLink;

interface FacadeRoute<Settings> {
  readonly url: string;
  /** @throws {SttError} UNAUTHENTICATED, INPUT_INVALID. */
  admit(request: FastifyRequest): {
    readonly caller: RealtimeCaller;
    readonly settings: Settings;
  };
  /** The body that a client of the protocol expects where its upgrade is refused. */
  refusal(error: SttError, request: FastifyRequest): object;
  speak(wire: Wire, settings: Settings, link: LinkToSession): SocketSpeaker;
  readonly limits?: Partial<ConnectionLimits>;
}

/** Adds a socket in another vendor's protocol: refused with an HTTP status, or led to a session. */
export function addFacadeRoute<Settings>(
  app: FastifyInstance,
  host: FacadeHost,
  route: FacadeRoute<Settings>,
): void {
  const admitted = new WeakMap<FastifyRequest, (wire: Wire) => SocketSpeaker>();
  app.route({
    method: 'GET',
    url: route.url,
    config: { access: 'public' }, // Credentials come in more ways than headers.
    preValidation: async (request, reply) => {
      try {
        const { caller, settings } = route.admit(request);
        if (!isTrustedOrigin(request, caller)) {
          throw new SttError('TENANT_FORBIDDEN', 'Pages of other sites are refused');
        }
        const link = linkOf(caller, host, route.limits);
        admitted.set(request, (wire) => route.speak(wire, settings, link));
      } catch (thrown) {
        const error = SttError.from(thrown);
        return refuse(reply, error, route.refusal(error, request));
      }
    },
    handler: (_, reply) => reply.code(426).header('upgrade', 'websocket').send(),
    wsHandler: (socket, request) => host.sockets.serve(socket, admitted.get(request)!),
  });
}

/** @throws {SttError} MODEL_LOADING. */
function linkOf(
  caller: RealtimeCaller,
  { sessions, logger, limits, identify }: FacadeHost,
  ownLimits?: Partial<ConnectionLimits>,
): LinkToSession {
  const loaded = sessions();
  if (!loaded) throw new SttError('MODEL_LOADING', 'No model is ready yet, or the service stops');
  return (wire, manner) =>
    new Connection(wire, {
      ...{ sessions: loaded, logger, identify },
      limits: { ...limits, ...ownLimits },
      manner: { ...manner, isResumable: false },
      // These protocols have no message for a refined transcript.
      caller: { ...caller, keepsAudio: false },
    });
}

/** Answers with the status of a failure, in the words of a protocol. */
export function refuse(reply: FastifyReply, error: SttError, body: object): FastifyReply {
  const retryAfterSec = retryAfterSecOf(error);
  if (retryAfterSec !== null) reply.header('retry-after', String(retryAfterSec));
  return reply.code(error.httpStatus).send(body);
}

/** The credential in a subprotocol, where browsers put it: they cannot send headers. */
export const subprotocolsOf = ({ headers }: FastifyRequest): readonly string[] =>
  (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
