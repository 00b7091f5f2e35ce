import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import { readInput } from '../read-input.ts';
import { JobInputSchema } from '../schema.ts';
import { answerJob, type Exchange, type Respond } from './answer-job.ts';
import { acceptJob } from './async-job-routes.ts';
import { formValueReader } from './form-values.ts';
import { assertNotIdempotent } from './idempotency-key.ts';
import { heldOf, holdingRequests, toServiceJob } from './job-request.ts';
import { assertLanguageKnown } from './known-languages.ts';
import { type ReceivedUpload, receiveForm } from './receive-form.ts';
import type { ServiceContext } from './service-context.ts';

/** At most a short recording in base64; longer ones are files. Its fields are held to `JOB_JSON`. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** Fields that say how to answer; all others are the job's. */
export const AnswerOptionsSchema = z.object({
  async: z.boolean().nullish(),
  webhook_url: z.string().max(2048).nullish(),
});

type RawInput = Readonly<Record<string, unknown>>;

const readForm = formValueReader(JobInputSchema.safeExtend(AnswerOptionsSchema.shape));
const JsonBody = z.record(z.string(), z.unknown());

/** `POST /stt/upload` and `POST /stt/process`. */
export async function addSttRoutes(app: FastifyInstance, context: ServiceContext): Promise<void> {
  await app.register(multipart);
  const onRequest = holdingRequests(
    context,
    (request) => context.asyncJobs !== undefined && asksForAsync(request),
  );

  app.post('/stt/upload', { onRequest }, (request, reply) =>
    handleJob({ request, reply }, context, async () => {
      const { fields, upload } = await receiveForm(request, context, heldOf(request).signal);
      if (upload !== null) return { rawInput: readForm(fields), upload };
      throw new SttError('INPUT_INVALID', 'file: no recording was sent in this field');
    }),
  );

  app.post('/stt/process', { onRequest, bodyLimit: MAX_BODY_BYTES }, (request, reply) =>
    handleJob({ request, reply }, context, async () => {
      const parsed = JsonBody.safeParse(request.body);
      if (parsed.success) return { rawInput: parsed.data, upload: null };
      throw new SttError('INPUT_INVALID', 'The body must be a JSON object');
    }),
  );
}

type ReadRequest = () => Promise<{
  readonly rawInput: RawInput;
  readonly upload: ReceivedUpload | null;
}>;

/** From the first byte of a request to the last of its answer; leaves nothing behind. */
async function handleJob(
  exchange: Exchange,
  context: ServiceContext,
  read: ReadRequest,
): Promise<FastifyReply> {
  let upload: ReceivedUpload | null = null;
  let respond: Respond;
  try {
    const received = await read();
    upload = received.upload;
    const { options, input } = separate(received.rawInput);
    const job = toServiceJob(input, upload, {
      caller: exchange.request.caller,
      config: context.config,
    });
    assertLanguageKnown(job.input, context);
    const isAsync =
      options.async ?? (context.asyncJobs !== undefined && asksForAsync(exchange.request));
    if (isAsync) {
      respond = await acceptJob(job, options.webhook_url ?? null, exchange, context);
    } else {
      assertNotIdempotent(exchange.request);
      if (options.webhook_url) throw new SttError('INPUT_INVALID', 'webhook_url: needs async');
      respond = await answerJob(job, exchange, context);
    }
  } finally {
    await upload?.remove();
    heldOf(exchange.request).leave();
  }
  return respond();
}

function separate({ async: isAsync, webhook_url, ...input }: RawInput) {
  return { options: readInput(AnswerOptionsSchema, { async: isAsync, webhook_url }), input };
}

/** Before the body is known: `?async=true`, or the header of RFC 7240. */
function asksForAsync({ headers, query }: FastifyRequest): boolean {
  const { async: asked } = query as { readonly async?: unknown };
  return asked === 'true' || asked === '1' || /\brespond-async\b/i.test(String(headers['prefer']));
}
