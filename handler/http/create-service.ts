import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { SttError } from '../../core/errors.ts';
import type { AsyncJobs } from '../jobs/contracts.ts';
import { assertJsonText, JOB_JSON } from '../json-limits.ts';
import { Admission } from '../tenants/admission.ts';
import { UploadSpace } from '../tenants/upload-space.ts';
import type { UsageLedger } from '../tenants/usage-ledger.ts';
import { ActiveWork } from './active-work.ts';
import { addAsyncJobRoutes } from './async-job-routes.ts';
import { identifyCallers } from './callers.ts';
import { addDocumentationRoutes } from './documentation-routes.ts';
import { answerFailures, sendFailure, toSttError } from './failures.ts';
import { refuseForeignPages } from './foreign-pages.ts';
import { addFormatRoute } from './format-route.ts';
import { addHealthRoutes } from './health-routes.ts';
import { JobGate } from './job-gate.ts';
import { JobTimes } from './job-times.ts';
import { limitConnections } from './limit-connections.ts';
import { LiveCount } from './live-count.ts';
import { addMachineGauges } from './machine-gauges.ts';
import { ServiceMetrics } from './metrics.ts';
import { addOpenAiRoutes } from './openai/openai-routes.ts';
import { addPageRoutes } from './page/page-routes.ts';
import { logRequests } from './request-log.ts';
import { addResponseHeaders } from './response-headers.ts';
import { limitSending } from './send-limits.ts';
import type { ServiceContext } from './service-context.ts';
import { ServiceExecutor } from './service-executor.ts';
import { addStatusRoute } from './status-route.ts';
import { addSttRoutes } from './stt-routes.ts';

/** A JSON body is fields; the routes that take more say so. */
const MAX_JSON_BYTES = 1024 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** Slow clients: their headers must have arrived by then. */
const HEADERS_TIMEOUT_MS = 15_000;
/** Above the idle time of common load balancers, so that they close first. */
const KEEP_ALIVE_MS = 75_000;
/** How late a slow client may be noticed; Node's own half a minute is longer than the time it has. */
const SLOW_CHECK_MS = 1000;
const MAX_PARAMETER_CHARS = 128;
const REQUEST_ID = /^[\w.-]{1,64}$/;

/** What a module adds to the server, such as the socket of realtime sessions. */
export type ServiceModule = (app: FastifyInstance, context: ServiceContext) => Promise<void> | void;

export interface ServiceParts
  extends Pick<ServiceContext, 'config' | 'logger' | 'version' | 'keys' | 'slot'> {
  readonly asyncJobs?: AsyncJobs;
  readonly ledger?: UsageLedger;
  readonly modules?: readonly ServiceModule[];
}

export interface Service {
  readonly app: FastifyInstance;
  readonly context: ServiceContext;
}

/** The HTTP service, ready to listen; jobs are refused until the slot has an engine. */
export async function createService(parts: ServiceParts): Promise<Service> {
  const context = contextOf(parts);
  const app = createServer(context);
  logRequests(app, context);
  addResponseHeaders(app, context);
  limitSending(app);
  parseBoundedJson(app);
  refuseForeignPages(app, context);
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

function contextOf(parts: ServiceParts): ServiceContext {
  const { config, slot, keys, asyncJobs, ledger } = parts;
  const { maxConcurrentJobs, maxQueuedJobs, maxStoredUploadBytes } = config.service;
  const gate = new JobGate(maxConcurrentJobs, maxQueuedJobs);
  const admission = new Admission({
    ...(ledger && { ledger }),
    limitsOf: (tenantId) => keys?.limitsOf(tenantId),
    runningOf: (tenantId) => asyncJobs?.runningOf(tenantId) ?? 0,
  });
  const metrics = new ServiceMetrics();
  const times = new JobTimes(metrics.registry);
  const live = new LiveCount(metrics.registry);
  metrics.watch({ slot, gate, asyncJobs });
  addMachineGauges(metrics.registry, { slot, live });
  return {
    config,
    logger: parts.logger,
    version: parts.version,
    startedAtMs: performance.now(),
    keys,
    slot,
    gate,
    admission,
    uploadSpace: new UploadSpace(maxStoredUploadBytes),
    metrics,
    work: new ActiveWork(),
    executor: new ServiceExecutor({ slot, gate, admission, metrics, times }),
    asyncJobs,
    live,
  };
}

/**
 * JSON is counted before it is parsed: reading what is nested or listed without end would keep everybody
 * waiting. A body of no bytes is none, whatever its type: a client that cancels a job has nothing to say.
 */
function parseBoundedJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') return done(null, undefined);
    try {
      assertJsonText(String(body), request.routeOptions.config.json ?? JOB_JSON);
    } catch (thrown) {
      return done(SttError.from(thrown), undefined);
    }
    void parse(request, String(body), done);
  });
}

function createServer({ config, logger }: ServiceContext): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: MAX_JSON_BYTES,
    requestTimeout: config.service.requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    http: { maxHeaderSize: MAX_HEADER_BYTES, connectionsCheckingInterval: SLOW_CHECK_MS },
    routerOptions: { maxParamLength: MAX_PARAMETER_CHARS },
    genReqId: requestIdOf,
    frameworkErrors: (error, request, reply) => {
      sendFailure(toSttError(error), request, reply);
    },
    clientErrorHandler: refuseUnreadable,
  });
  app.server.headersTimeout = HEADERS_TIMEOUT_MS;
  app.server.maxConnections = config.service.maxConnections;
  limitConnections(app.server, config.service.maxConnectionsPerAddress, logger);
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
