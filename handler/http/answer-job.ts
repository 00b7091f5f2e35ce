import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_CODES, SttError, type WireError } from '../../core/errors.ts';
import type { ExecutionContext, ServiceJob } from '../jobs/contracts.ts';
import type { JobOutput } from '../run-job.ts';
import { EventStream, wantsEvents } from './event-stream.ts';
import { RETRY_AFTER_SEC } from './failures.ts';
import { heldOf } from './job-request.ts';
import type { ServiceContext } from './service-context.ts';

export interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Sends an answer; by then the request has given back what it held. */
export type Respond = () => FastifyReply | Promise<FastifyReply>;

/** Runs a job that is waited for, and returns how to answer: its result, or the last event. */
export async function answerJob(
  job: ServiceJob,
  exchange: Exchange,
  context: ServiceContext,
): Promise<Respond> {
  const { request, reply } = exchange;
  if (wantsEvents(request)) return await answerWithEvents(job, exchange, context);
  const output = await runHeld(job, request, context);
  return () => sendOutput(output, request, reply);
}

type Hooks = Partial<Pick<ExecutionContext, 'onProgress' | 'onSegments'>>;

/**
 * Runs the job of a request that was let in, beside what else its tenant runs.
 * @throws {LimitExceeded} CONCURRENCY_LIMITED
 */
export async function runHeld(
  job: ServiceJob,
  request: FastifyRequest,
  { logger, executor, admission }: ServiceContext,
  hooks: Hooks = {},
): Promise<JobOutput> {
  const { signal, enter } = heldOf(request);
  const end = admission.beginJob(request.caller);
  try {
    const tenant = request.caller.tenant?.id;
    const bindings = { requestId: request.id, ...(tenant !== undefined && { tenant }) };
    const reporting = { onProgress: () => undefined, ...hooks };
    enter();
    return await executor.execute(job, { signal, logger: logger.child(bindings), ...reporting });
  } finally {
    end();
  }
}

/** Waiting helps where the service failed, and is asked for by a header. */
export function withRetryAfter(reply: FastifyReply, { code, retryable }: WireError): FastifyReply {
  const { httpStatus } = ERROR_CODES[code];
  if (retryable && (httpStatus >= 500 || httpStatus === 429)) {
    reply.header('retry-after', String(RETRY_AFTER_SEC));
  }
  return reply.code(httpStatus);
}

function sendOutput(output: JobOutput, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!('error' in output)) return reply.send(output);
  return withRetryAfter(reply, output.error).send({ ...output, request_id: request.id });
}

async function answerWithEvents(
  job: ServiceJob,
  { request, reply }: Exchange,
  context: ServiceContext,
): Promise<Respond> {
  const events = new EventStream(reply);
  const hooks: Hooks = {
    onProgress: (progress) => events.send('progress', progress),
    onSegments: (segments) => events.send('segments', { segments }),
  };
  const output = await eventually(runHeld(job, request, context, hooks));
  return () => {
    events.send('error' in output ? 'error' : 'result', output);
    events.close();
    return reply;
  };
}

/** Once events have begun, a refusal is an event too. */
export async function eventually(output: Promise<JobOutput>): Promise<JobOutput> {
  try {
    return await output;
  } catch (thrown) {
    return { error: SttError.from(thrown).toJSON() };
  }
}
