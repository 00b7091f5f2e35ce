import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_CODES, type WireError } from '../../core/errors.ts';
import type { ExecutionContext, ServiceJob } from '../jobs/contracts.ts';
import type { JobOutput } from '../run-job.ts';
import { secToMidnight } from '../tenants/usage-ledger.ts';
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
  const run = beginHeld(job, request, context);
  if (wantsEvents(request)) return await answerWithEvents(run, reply);
  const output = await run({});
  return () => sendOutput(output, request, reply);
}

type Hooks = Partial<Pick<ExecutionContext, 'onProgress' | 'onSegments'>>;
/** To be called once; never rejects. */
export type RunHeld = (hooks: Hooks) => Promise<JobOutput>;

/**
 * Lets the job of a request begin beside what else its tenant runs, before anything is answered.
 * @throws {LimitExceeded} CONCURRENCY_LIMITED
 */
export function beginHeld(
  job: ServiceJob,
  request: FastifyRequest,
  { logger, executor, admission }: ServiceContext,
): RunHeld {
  const { signal, enter } = heldOf(request);
  const end = admission.beginJob(request.caller);
  const tenant = request.caller.tenant?.id;
  const bindings = { requestId: request.id, ...(tenant !== undefined && { tenant }) };
  return async (hooks) => {
    try {
      const reporting = { onProgress: () => undefined, ...hooks };
      enter();
      return await executor.execute(job, { signal, logger: logger.child(bindings), ...reporting });
    } finally {
      end();
    }
  };
}

/** Waiting helps where the service failed, and is asked for by a header. */
export function withRetryAfter(reply: FastifyReply, { code, retryable }: WireError): FastifyReply {
  const { httpStatus } = ERROR_CODES[code];
  if (retryable && (httpStatus >= 500 || httpStatus === 429)) {
    const isOfDay = code === 'QUOTA_EXCEEDED' || code === 'BUDGET_EXCEEDED';
    const waitSec = isOfDay ? secToMidnight(Date.now()) : RETRY_AFTER_SEC;
    reply.header('retry-after', String(waitSec));
  }
  return reply.code(httpStatus);
}

function sendOutput(output: JobOutput, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!('error' in output)) return reply.send(output);
  return withRetryAfter(reply, output.error).send({ ...output, request_id: request.id });
}

async function answerWithEvents(run: RunHeld, reply: FastifyReply): Promise<Respond> {
  const events = new EventStream(reply);
  const output = await run({
    onProgress: (progress) => events.send('progress', progress),
    onSegments: (segments) => events.send('segments', { segments }),
  });
  return () => {
    events.send('error' in output ? 'error' : 'result', output);
    events.close();
    return reply;
  };
}
