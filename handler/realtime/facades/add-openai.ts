import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SttError } from '../../../core/errors.ts';
import { openAiErrorOf } from '../../http/openai/openai-errors.ts';
import { readInput } from '../../read-input.ts';
import { AccessTokens } from '../access-tokens.ts';
import type { RealtimeCaller } from '../contracts.ts';
import { keyInHeaders } from '../credentials.ts';
import { addFacadeRoute, type FacadeHost, refuse, subprotocolsOf } from './facade-route.ts';
import {
  defaultSettings,
  describeSettings,
  type TranscriptionSettings,
  updatedSettings,
} from './openai-settings.ts';
import { newSessionId, OpenAiTranscription } from './openai-transcription.ts';

/** The protocol has no sign of life but audio, and push-to-talk is silent for long. */
const IDLE_SEC = 600;
const DEFAULT_SECRET_SEC = 600;
const KEY_PROTOCOL = 'openai-insecure-api-key.';

interface Secret {
  readonly caller: RealtimeCaller;
  readonly settings: TranscriptionSettings;
}

/** Adds OpenAI's realtime transcription: `/v1/realtime` and the short-lived secrets for it. */
export function addOpenAi(app: FastifyInstance, host: FacadeHost): void {
  const secrets = new AccessTokens<Secret>(
    DEFAULT_SECRET_SEC,
    'ek_',
    ({ caller }) => caller.tenant,
  );
  addClientSecrets(app, host, secrets);
  addFacadeRoute(app, host, {
    url: '/v1/realtime',
    limits: { idleSec: IDLE_SEC },
    admit: (request) => {
      const { caller, settings } = secretOf(request, host, secrets);
      const { model } = queryOf(request);
      const isLegacy = speaksLegacy(request);
      const named = { ...settings, ...(model !== undefined && { model }) };
      return { caller, settings: { settings: named, isLegacy, idleSec: IDLE_SEC } };
    },
    refusal: openAiErrorOf,
    speak: (wire, start, link) => new OpenAiTranscription(wire, start, link),
  });
}

const SecretRequest = z.object({
  expires_after: z.object({ seconds: z.number().int().min(10).max(7200) }).optional(),
  session: z.unknown(),
});

function addClientSecrets(
  app: FastifyInstance,
  { identify, model }: FacadeHost,
  secrets: AccessTokens<Secret>,
): void {
  app.post('/v1/realtime/client_secrets', async (request, reply) => {
    try {
      const caller = identify(keyInHeaders(request));
      if (!caller) throw unauthenticated();
      const { session, expires_after } = readInput(SecretRequest, request.body ?? {});
      const settings = updatedSettings(defaultSettings(model()), session ?? {}, false);
      const { token, expiresAtMs } = secrets.issue({ caller, settings }, expires_after?.seconds);
      const expires_at = Math.floor(expiresAtMs / 1000);
      const object = 'realtime.transcription_session';
      return {
        value: token,
        expires_at,
        session: { id: newSessionId(), object, ...describeSettings(settings, false) },
      };
    } catch (thrown) {
      const error = SttError.from(thrown);
      return refuse(reply, error, openAiErrorOf(error));
    }
  });
}

function secretOf(
  request: FastifyRequest,
  { identify, model }: FacadeHost,
  secrets: AccessTokens<Secret>,
): Secret {
  const key = keyInHeaders(request) ?? keyInSubprotocol(request);
  const secret = key === undefined ? undefined : secrets.redeem(key);
  if (secret) return secret;
  const caller = identify(key);
  if (!caller) throw unauthenticated();
  return { caller, settings: defaultSettings(model()) };
}

const unauthenticated = (): SttError =>
  new SttError('UNAUTHENTICATED', 'An API key is required: send Authorization: Bearer KEY');

const keyInSubprotocol = (request: FastifyRequest): string | undefined =>
  subprotocolsOf(request)
    .find((protocol) => protocol.startsWith(KEY_PROTOCOL))
    ?.slice(KEY_PROTOCOL.length);

const speaksLegacy = (request: FastifyRequest): boolean =>
  request.headers['openai-beta'] === 'realtime=v1' ||
  subprotocolsOf(request).includes('openai-beta.realtime-v1');

const QuerySchema = z.object({
  intent: z.literal('transcription', { error: 'only transcription is served' }).optional(),
  model: z.string().max(128).optional(),
});

/** @throws {SttError} INPUT_INVALID. */
const queryOf = ({ query }: FastifyRequest) => readInput(QuerySchema, query);
