import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import { describeIssues } from '../input-issues.ts';
import { JobInputSchema } from '../schema.ts';
import { answerJob } from './answer-job.ts';
import { answerAccepted } from './async-job-routes.ts';
import { formValueReader } from './form-values.ts';
import { holdRequest, toServiceJob } from './job-request.ts';
import { type ReceivedUpload, receiveForm } from './receive-form.ts';
import type { ServiceContext } from './service-context.ts';
import { maxUploadBytes } from './status-route.ts';

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
  const { spoolDir, maxBytes } = context.config.audio;

  app.post('/stt/upload', (request, reply) =>
    handleJob({ request, reply }, context, async (signal) => {
      const limits = { spoolDir, maxBytes: maxUploadBytes(request.caller, maxBytes) };
      const { fields, upload } = await receiveForm(request, limits, signal);
      if (upload !== null) return { rawInput: readForm(fields), upload };
      throw new SttError('INPUT_INVALID', 'file: no recording was sent in this field');
    }),
  );

  app.post('/stt/process', (request, reply) =>
    handleJob({ request, reply }, context, async () => {
      const parsed = JsonBody.safeParse(request.body);
      if (parsed.success) return { rawInput: parsed.data, upload: null };
      throw new SttError('INPUT_INVALID', 'The body must be a JSON object');
    }),
  );
}

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

type ReadRequest = (
  signal: AbortSignal,
) => Promise<{ readonly rawInput: RawInput; readonly upload: ReceivedUpload | null }>;

/** From the first byte of a request to the last of its answer; leaves nothing behind. */
async function handleJob(
  exchange: Exchange,
  context: ServiceContext,
  read: ReadRequest,
): Promise<FastifyReply> {
  const { request, reply } = exchange;
  const prefersAsync = context.asyncJobs !== undefined && asksForAsync(request);
  const held = holdRequest(request, reply, context, prefersAsync);
  let upload: ReceivedUpload | null = null;
  try {
    const received = await read(held.signal);
    upload = received.upload;
    const { options, input } = separate(received.rawInput);
    const job = toServiceJob(input, upload, request.caller);
    if (options.async ?? prefersAsync) {
      return await answerAccepted(job, options.webhook_url ?? null, exchange, context);
    }
    return await answerJob(job, exchange, context, held.signal);
  } finally {
    await upload?.remove();
    held.release();
  }
}

function separate({ async: isAsync, webhook_url, ...input }: RawInput) {
  const parsed = AnswerOptionsSchema.safeParse({ async: isAsync, webhook_url });
  if (parsed.success) return { options: parsed.data, input };
  throw new SttError('INPUT_INVALID', describeIssues(parsed.error.issues));
}

/** Before the body is known: `?async=true`, or the header of RFC 7240. */
function asksForAsync({ headers, query }: FastifyRequest): boolean {
  const { async: asked } = query as { readonly async?: unknown };
  return asked === 'true' || asked === '1' || /\brespond-async\b/i.test(String(headers['prefer']));
}
