import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { SttError } from '../../core/errors.ts';
import type { AsyncJobs } from '../jobs/contracts.ts';
import { Admission } from '../tenants/admission.ts';
import type { UsageLedger } from '../tenants/usage-ledger.ts';
import { ActiveWork } from './active-work.ts';
import { addAsyncJobRoutes } from './async-job-routes.ts';
import { identifyCallers } from './callers.ts';
import { addDocumentationRoutes } from './documentation-routes.ts';
import { answerFailures, sendFailure, toSttError } from './failures.ts';
import { addFormatRoute } from './format-route.ts';
import { addHealthRoutes } from './health-routes.ts';
import { JobGate } from './job-gate.ts';
import { ServiceMetrics } from './metrics.ts';
import { addOpenAiRoutes } from './openai/openai-routes.ts';
import { addPageRoutes } from './page/page-routes.ts';
import { logRequests } from './request-log.ts';
import { addResponseHeaders } from './response-headers.ts';
import type { ServiceContext } from './service-context.ts';
import { ServiceExecutor } from './service-executor.ts';
import { addStatusRoute } from './status-route.ts';
import { addSttRoutes } from './stt-routes.ts';

/** A JSON body is fields, and at most a short recording in base64; longer ones are files. */
const MAX_JSON_BYTES = 10 * 1024 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** Slow clients: their headers must have arrived by then. */
const HEADERS_TIMEOUT_MS = 15_000;
/** Above the idle time of common load balancers, so that they close first. */
const KEEP_ALIVE_MS = 75_000;
const MAX_PARAMETER_CHARS = 128;
const REQUEST_ID = /^[\w.-]{1,64}$/;

/** What a module adds to the server, such as the socket of realtime sessions. */
export type ServiceModule = (app: FastifyInstance, context: ServiceContext) => Promise<void> | void;

export interface ServiceParts
  extends Pick<ServiceContext, 'config' | 'logger' | 'version' | 'keys' | 'slot'> {
  /** Given the executor that every job of the service goes through. */
  readonly createAsyncJobs?: (executor: ServiceExecutor) => Promise<AsyncJobs>;
  readonly ledger?: UsageLedger;
  readonly modules?: readonly ServiceModule[];
}

export interface Service {
  readonly app: FastifyInstance;
  readonly context: ServiceContext;
}

/** The HTTP service, ready to listen; jobs are refused until the slot has an engine. */
export async function createService(parts: ServiceParts): Promise<Service> {
  const context = await contextOf(parts);
  const app = createServer(context);
  logRequests(app, context);
  addResponseHeaders(app, context);
  identifyCallers(app, context);
  answerFailures(app, context);
  addHealthRoutes(app, context);
  addStatusRoute(app, context);
  await addSttRoutes(app, context);
  addAsyncJobRoutes(app, context);
  addFormatRoute(app);
  addPageRoutes(app);
  addOpenAiRoutes(app, context);
  addDocumentationRoutes(app, context);
  for (const addModule of parts.modules ?? []) await addModule(app, context);
  return { app, context };
}

async function contextOf(parts: ServiceParts): Promise<ServiceContext> {
  const { config, slot } = parts;
  const gate = new JobGate(config.service.maxConcurrentJobs, config.service.maxQueuedJobs);
  const admission = new Admission(parts.ledger);
  const metrics = new ServiceMetrics();
  const executor = new ServiceExecutor({ slot, gate, admission, metrics });
  const asyncJobs = await parts.createAsyncJobs?.(executor);
  metrics.watch({ slot, gate, asyncJobs });
  return {
    config,
    logger: parts.logger,
    version: parts.version,
    startedAtMs: performance.now(),
    keys: parts.keys,
    slot,
    gate,
    admission,
    metrics,
    work: new ActiveWork(),
    executor,
    asyncJobs,
  };
}

function createServer({ config }: ServiceContext): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: MAX_JSON_BYTES,
    requestTimeout: config.service.requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    http: { maxHeaderSize: MAX_HEADER_BYTES },
    routerOptions: { maxParamLength: MAX_PARAMETER_CHARS },
    genReqId: requestIdOf,
    frameworkErrors: (error, request, reply) => {
      sendFailure(toSttError(error), request, reply);
    },
    clientErrorHandler: refuseUnreadable,
  });
  app.server.headersTimeout = HEADERS_TIMEOUT_MS;
  app.server.maxConnections = config.service.maxConnections;
  return app;
}

/** The caller's id where it is one that may stand in a log. */
function requestIdOf({ headers }: IncomingMessage): string {
  const { 'x-request-id': given } = headers;
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** Bytes that are no HTTP request, or came too slowly: an answer where one can still be written. */
function refuseUnreadable({ code }: { readonly code: string }, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const error = unreadable(code);
  const body = JSON.stringify({ error: error.toJSON() });
  socket.end(
    [
      `HTTP/1.1 ${error.httpStatus} ${error.code}`,
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

function unreadable(code: string): SttError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new SttError('REQUEST_TIMEOUT', 'The request did not arrive in time');
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new SttError('REQUEST_TOO_LARGE', 'The headers are too large');
  }
  return new SttError('INPUT_INVALID', 'The request is not HTTP');
}
