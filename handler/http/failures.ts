import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, SttError } from '../../core/errors.ts';
import { LimitExceeded } from '../tenants/limit-exceeded.ts';
import { openAiErrorOf } from './openai/openai-errors.ts';
import type { ServiceContext } from './service-context.ts';

export const RETRY_AFTER_SEC = 5;
const METHODS = ['GET', 'POST', 'DELETE'] as const;

/** What the server framework throws before a route is reached. */
const FRAMEWORK_CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'REQUEST_TYPE_UNSUPPORTED',
    'The Content-Type is not one that this route takes',
  ],
  FST_INVALID_MULTIPART_CONTENT_TYPE: [
    'REQUEST_TYPE_UNSUPPORTED',
    'The Content-Type must be multipart/form-data',
  ],
  FST_ERR_CTP_BODY_TOO_LARGE: ['REQUEST_TOO_LARGE', 'The body is too large; send a file or a URL'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['INPUT_INVALID', 'The body is empty; expected a JSON object'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['INPUT_INVALID', 'The body is not JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['INPUT_INVALID', 'The body is not of its Content-Length'],
  FST_ERR_BAD_URL: ['INPUT_INVALID', 'The path is not a valid URL'],
  FST_ERR_MAX_PARAM_LENGTH: ['NOT_FOUND', 'There is nothing here'],
};

/** Turns whatever a request failed with into one of our errors. */
export function toSttError(thrown: unknown): SttError {
  if (thrown instanceof SttError) return thrown;
  if (!(thrown instanceof Error)) return SttError.from(thrown);
  const { code, statusCode } = thrown as Error & { code?: string; statusCode?: number };
  const known = code === undefined ? undefined : FRAMEWORK_CODES[code];
  if (known !== undefined) return new SttError(known[0], known[1], { cause: thrown });
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new SttError('INPUT_INVALID', 'The request is malformed', { cause: thrown });
  }
  return SttError.from(thrown);
}

/** Seconds after which a client may try again; null where trying again does not help. */
export function retryAfterSecOf(error: SttError): number | null {
  if (error instanceof LimitExceeded) return error.retryAfterSec;
  return error.retryable && error.httpStatus >= 429 ? RETRY_AFTER_SEC : null;
}

/** Answers every failure in the shape of its API, and tells the log of ours. */
export function answerFailures(app: FastifyInstance, { logger, metrics }: ServiceContext): void {
  const missing = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const path = request.url.split('?')[0] ?? '';
    const allowed = METHODS.filter((method) => app.hasRoute({ method, url: path }));
    if (allowed.length === 0) {
      return sendFailure(new SttError('NOT_FOUND', 'There is nothing here'), request, reply);
    }
    reply.header('allow', allowed.join(', '));
    const message = `This route takes ${allowed.join(' and ')} only`;
    return sendFailure(new SttError('METHOD_NOT_ALLOWED', message), request, reply);
  };
  app.setErrorHandler((thrown, request, reply) => {
    // What the framework dislikes of a request for nothing matters less than that there is nothing.
    if (request.is404 && !(thrown instanceof SttError)) return missing(request, reply);
    const error = toSttError(thrown);
    if (error.httpStatus === 500) {
      logger.error({ requestId: request.id, err: error }, 'request failed');
    }
    if (error.httpStatus === 429) metrics.countRejection(error.code);
    return sendFailure(error, request, reply);
  });
  app.setNotFoundHandler(missing);
}

export function sendFailure(
  error: SttError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const retryAfterSec = retryAfterSecOf(error);
  if (retryAfterSec !== null) reply.header('retry-after', String(retryAfterSec));
  if (error.code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer');
  const isOpenAi = request.url.startsWith('/v1/');
  return reply
    .code(error.httpStatus)
    .type('application/json; charset=utf-8')
    .send(isOpenAi ? openAiErrorOf(error) : { error: error.toJSON(), request_id: request.id });
}
