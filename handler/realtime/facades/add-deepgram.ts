import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SttError } from '../../../core/errors.ts';
import { keyInHeaders } from '../credentials.ts';
import { DeepgramListen } from './deepgram-listen.ts';
import { listenSettingsOf } from './deepgram-query.ts';
import { addFacadeRoute, type FacadeHost, subprotocolsOf } from './facade-route.ts';

/** Adds the socket of Deepgram's clients, `/v1/listen`. */
export function addDeepgram(app: FastifyInstance, host: FacadeHost): void {
  addFacadeRoute(app, host, {
    url: '/v1/listen',
    admit: (request) => {
      const caller = host.identify(keyInHeaders(request) ?? keyInSubprotocol(request));
      if (!caller) throw new SttError('UNAUTHENTICATED', 'An API key is required: Token KEY');
      const names = { requestId: request.id, model: host.model() };
      return { caller, settings: listenSettingsOf(request.query, names) };
    },
    refusal: ({ code, message }, { id }) => ({
      err_code: ERROR_NAMES[code] ?? code,
      err_msg: message,
      request_id: id,
    }),
    speak: (wire, settings, link) => new DeepgramListen(wire, settings, link),
  });
}

const ERROR_NAMES: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'INVALID_AUTH',
  INPUT_INVALID: 'INVALID_QUERY_PARAMETER',
  TENANT_FORBIDDEN: 'INSUFFICIENT_PERMISSIONS',
};

/** Browsers offer `token, KEY` or `bearer, KEY`. */
function keyInSubprotocol(request: FastifyRequest): string | undefined {
  const [scheme = '', key] = subprotocolsOf(request);
  return /^(?:token|bearer)$/i.test(scheme) ? key : undefined;
}
