import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import type { AsyncJobs, JobView, ServiceJob } from '../jobs/contracts.ts';
import { toWireJob } from '../jobs/wire-job.ts';
import { readInput } from '../read-input.ts';
import type { Exchange, Respond } from './answer-job.ts';
import { EventStream } from './event-stream.ts';
import { idempotencyKeyOf } from './idempotency-key.ts';
import type { ServiceContext } from './service-context.ts';

const MAX_LISTED = 100;
const ListQuery = z.object({
  limit: z.number().int().min(1).max(MAX_LISTED).default(MAX_LISTED),
  cursor: z.string().max(500).optional(),
});

type JobRequest = FastifyRequest<{ Params: { id: string } }>;

/** Status, result, cancel and delete of jobs that nobody waits for; a tenant sees its own only. */
export function addAsyncJobRoutes(app: FastifyInstance, context: ServiceContext): void {
  const { asyncJobs } = context;
  if (asyncJobs === undefined) return;

  app.get('/stt/jobs', async ({ caller, query }) => {
    const { limit, cursor } = readInput(ListQuery, query);
    const page = await asyncJobs.list(caller.tenant?.id ?? null, limit, cursor ?? null);
    const jobs = page.views.map((view) => ({ ...toWireJob(view), result: undefined }));
    return { jobs, next_cursor: page.cursor };
  });
  app.get('/stt/jobs/:id', async ({ caller, params }: JobRequest) =>
    toWireJob(known(await asyncJobs.get(caller.tenant?.id ?? null, params.id))),
  );
  app.post('/stt/jobs/:id/cancel', async ({ caller, params }: JobRequest) =>
    toWireJob(known(await asyncJobs.cancel(caller.tenant?.id ?? null, params.id))),
  );
  app.get('/stt/jobs/:id/events', async (request: JobRequest, reply) => {
    const tenant = request.caller.tenant?.id ?? null;
    known(await asyncJobs.get(tenant, request.params.id));
    await tellEvents(asyncJobs, { tenant, id: request.params.id }, reply, context);
    return reply;
  });
  app.delete('/stt/jobs/:id', async (request: JobRequest, reply) => {
    await deleteJob(request, asyncJobs, context);
    return reply.code(204).send();
  });
}

/** Hands a job to those that run by themselves, and returns how to tell where to find it. */
export async function acceptJob(
  job: ServiceJob,
  webhookUrl: string | null,
  { request, reply }: Exchange,
  { asyncJobs }: ServiceContext,
): Promise<Respond> {
  if (asyncJobs === undefined) {
    throw new SttError('INPUT_INVALID', 'async: this service keeps no jobs; wait for the answer');
  }
  const idempotencyKey = idempotencyKeyOf(request);
  const submission = { job, webhookUrl, idempotencyKey, requestId: request.id };
  const { view, replayed } = await asyncJobs.submit(submission);
  return () => {
    if (replayed) reply.header('idempotency-replayed', 'true');
    return reply
      .code(202)
      .header('location', `/stt/jobs/${view.id}`)
      .header('preference-applied', 'respond-async')
      .send(toWireJob(view));
  };
}

/** The job's progress as server-sent events, until it has settled or the client goes away. */
async function tellEvents(
  asyncJobs: AsyncJobs,
  { tenant, id }: { readonly tenant: string | null; readonly id: string },
  reply: FastifyReply,
  { work }: ServiceContext,
): Promise<void> {
  const { abort, end } = work.watch();
  reply.raw.once('close', () => abort.abort());
  const events = new EventStream(reply);
  try {
    for await (const event of asyncJobs.watch(tenant, id, abort.signal)) {
      if (event.type === 'progress') events.send('progress', event.progress);
      else if (event.type === 'segments') events.send('segments', { segments: event.segments });
      else events.sendShared(event.type, event.view, () => toWireJob(event.view));
      await events.drained();
    }
  } finally {
    events.close();
    end();
  }
}

async function deleteJob(
  { caller, params, id }: JobRequest,
  asyncJobs: AsyncJobs,
  { logger }: ServiceContext,
): Promise<void> {
  const isDeleted = await asyncJobs.delete(caller.tenant?.id ?? null, params.id);
  if (!isDeleted) throw notFound();
  const { tenant, keyId } = caller;
  logger.info(
    { requestId: id, jobId: params.id, tenant: tenant?.id ?? null, keyId },
    'job deleted',
  );
}

function known(view: JobView | undefined): JobView {
  if (view === undefined) throw notFound();
  return view;
}

const notFound = (): SttError => new SttError('NOT_FOUND', 'There is no job with this id');
