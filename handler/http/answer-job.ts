import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_CODES } from '../../core/errors.ts';
import type { ExecutionContext, ServiceJob } from '../jobs/contracts.ts';
import type { JobOutput } from '../run-job.ts';
import { EventStream, wantsEvents } from './event-stream.ts';
import { RETRY_AFTER_SEC } from './failures.ts';
import type { ServiceContext } from './service-context.ts';

/** Runs a job and answers with its result, or with events on the way to it. */
export async function answerJob(
  job: ServiceJob,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  context: ServiceContext,
  signal: AbortSignal,
): Promise<FastifyReply> {
  if (wantsEvents(request)) return await answerWithEvents(job, { request, reply }, context, signal);
  const output = await context.executor.execute(job, contextOf(request, context, signal));
  return sendOutput(output, request, reply);
}

/** What a job of this request gets; it reports nowhere unless told. */
export function contextOf(
  request: FastifyRequest,
  { logger }: ServiceContext,
  signal: AbortSignal,
  hooks: Partial<Pick<ExecutionContext, 'onProgress' | 'onSegments'>> = {},
): ExecutionContext {
  const tenant = request.caller.tenant?.id;
  const bindings = { requestId: request.id, ...(tenant !== undefined && { tenant }) };
  return { signal, logger: logger.child(bindings), onProgress: () => undefined, ...hooks };
}

function sendOutput(output: JobOutput, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!('error' in output)) return reply.send(output);
  const { code, retryable } = output.error;
  const { httpStatus } = ERROR_CODES[code];
  if (retryable && httpStatus >= 500) reply.header('retry-after', String(RETRY_AFTER_SEC));
  return reply.code(httpStatus).send({ ...output, request_id: request.id });
}

async function answerWithEvents(
  job: ServiceJob,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  context: ServiceContext,
  signal: AbortSignal,
): Promise<FastifyReply> {
  const events = new EventStream(reply);
  try {
    const hooks = {
      onProgress: (progress: unknown) => events.send('progress', progress),
      onSegments: (segments: unknown) => events.send('segments', { segments }),
    };
    const jobContext = contextOf(request, context, signal, hooks);
    const output = await context.executor.execute(job, jobContext);
    events.send('error' in output ? 'error' : 'result', output);
  } finally {
    events.close();
  }
  return reply;
}
