import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import type { AsyncJobs, JobView, ServiceJob } from '../jobs/contracts.ts';
import { toWireJob } from '../jobs/wire-job.ts';
import { EventStream } from './event-stream.ts';
import type { ServiceContext } from './service-context.ts';

const MAX_LISTED = 100;
const MAX_KEY_CHARS = 255;
const ListQuery = z.object({
  limit: z.coerce.number().int().min(1).max(MAX_LISTED).catch(MAX_LISTED),
});

type JobRequest = FastifyRequest<{ Params: { id: string } }>;

/** Status, result, cancel and delete of jobs that nobody waits for; a tenant sees its own only. */
export function addAsyncJobRoutes(app: FastifyInstance, context: ServiceContext): void {
  const { asyncJobs } = context;
  if (asyncJobs === undefined) return;

  app.get('/stt/jobs', async ({ caller, query }) => {
    const { limit } = ListQuery.parse(query);
    const views = await asyncJobs.list(caller.tenant?.id ?? null, limit);
    return { jobs: views.map((view) => ({ ...toWireJob(view), result: undefined })) };
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

/** Hands a job to those that run by themselves, and answers where to find it. */
export async function answerAccepted(
  job: ServiceJob,
  webhookUrl: string | null,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  { asyncJobs }: ServiceContext,
): Promise<FastifyReply> {
  if (asyncJobs === undefined) {
    throw new SttError('INPUT_INVALID', 'async: this service keeps no jobs; wait for the answer');
  }
  const idempotencyKey = idempotencyKeyOf(request);
  const { view, replayed } = await asyncJobs.submit({ job, webhookUrl, idempotencyKey });
  if (replayed) reply.header('idempotency-replayed', 'true');
  return reply
    .code(202)
    .header('location', `/stt/jobs/${view.id}`)
    .header('preference-applied', 'respond-async')
    .send(toWireJob(view));
}

/** The job's progress as server-sent events, until it has settled or the client goes away. */
async function tellEvents(
  asyncJobs: AsyncJobs,
  { tenant, id }: { readonly tenant: string | null; readonly id: string },
  reply: FastifyReply,
  { work }: ServiceContext,
): Promise<void> {
  const { abort, end } = work.begin();
  reply.raw.once('close', () => abort.abort());
  const events = new EventStream(reply);
  try {
    for await (const event of asyncJobs.watch(tenant, id, abort.signal)) {
      if (event.type === 'progress') events.send('progress', event.progress);
      else if (event.type === 'segments') events.send('segments', { segments: event.segments });
      else events.send(event.type, toWireJob(event.view));
    }
  } finally {
    events.close();
    end();
  }
}

function idempotencyKeyOf({ headers }: FastifyRequest): string | null {
  const { 'idempotency-key': key } = headers;
  if (key === undefined) return null;
  if (typeof key === 'string' && key !== '' && key.length <= MAX_KEY_CHARS) return key;
  throw new SttError('INPUT_INVALID', `Idempotency-Key: expected 1-${MAX_KEY_CHARS} characters`);
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
