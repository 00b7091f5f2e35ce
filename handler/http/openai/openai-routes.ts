import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SttError } from '../../../core/errors.ts';
import type { JobOutput } from '../../run-job.ts';
import { beginHeld, type Exchange, type Respond, withRetryAfter } from '../answer-job.ts';
import { assertNotIdempotent } from '../idempotency-key.ts';
import { heldOf, holdingRequests, toServiceJob } from '../job-request.ts';
import { assertLanguageKnown } from '../known-languages.ts';
import { type ReceivedUpload, receiveForm } from '../receive-form.ts';
import type { ServiceContext } from '../service-context.ts';
import { toOpenAiAnswer } from './openai-answer.ts';
import { openAiErrorOf } from './openai-errors.ts';
import { type OpenAiRequest, type OpenAiTask, parseOpenAiRequest } from './openai-request.ts';
import { streamTranscript } from './openai-stream.ts';

/** Names of OpenAI's own models mean whatever model this service has loaded. */
const ALIASES: readonly string[] = [
  'whisper-1',
  'gpt-4o-transcribe',
  'gpt-4o-mini-transcribe',
  'gpt-4o-transcribe-diarize',
];

/** OpenAI's audio API, so that its SDKs work unchanged. */
export function addOpenAiRoutes(app: FastifyInstance, context: ServiceContext): void {
  const onRequest = holdingRequests(context, () => false);
  const answer = (task: OpenAiTask) => (request: FastifyRequest, reply: FastifyReply) =>
    handleAudio(task, { request, reply }, context);
  app.post('/v1/audio/transcriptions', { onRequest }, answer('transcribe'));
  app.post('/v1/audio/translations', { onRequest }, answer('translate'));
  app.get('/v1/models', async () => ({ object: 'list', data: modelsOf(context) }));
  app.get('/v1/models/*', async ({ params }: FastifyRequest<{ Params: { '*': string } }>) => {
    const model = modelsOf(context).find(({ id }) => id === params['*']);
    if (model === undefined) throw unknownModel();
    return model;
  });
}

async function handleAudio(
  task: OpenAiTask,
  exchange: Exchange,
  context: ServiceContext,
): Promise<FastifyReply> {
  const { request } = exchange;
  let upload: ReceivedUpload | null = null;
  let respond: Respond;
  try {
    assertNotIdempotent(request);
    const form = await receiveForm(request, context, heldOf(request).signal);
    upload = form.upload;
    if (upload === null) throw new SttError('INPUT_INVALID', 'file: no recording was sent');
    const asked = parseOpenAiRequest(task, form.fields);
    assertModel(asked, context);
    const job = toServiceJob(asked.input, upload, {
      caller: request.caller,
      config: context.config,
    });
    assertLanguageKnown(job.input, context);
    const run = beginHeld(job, request, context);
    if (asked.isStreamed) {
      respond = await streamTranscript(run, asked, exchange.reply);
    } else {
      const output = await run({});
      respond = () => sendOutput(output, asked, exchange.reply);
    }
  } finally {
    await upload?.remove();
    heldOf(request).leave();
  }
  return respond();
}

function sendOutput(output: JobOutput, asked: OpenAiRequest, reply: FastifyReply): FastifyReply {
  if (!('error' in output)) {
    const { contentType, body } = toOpenAiAnswer(output, asked);
    return reply.type(contentType).send(body);
  }
  const { code, message } = output.error;
  return withRetryAfter(reply, output.error).send(openAiErrorOf(new SttError(code, message)));
}

function modelsOf({ slot: { engine }, startedAtMs }: ServiceContext) {
  const created = Math.floor((performance.timeOrigin + startedAtMs) / 1000);
  const ids = engine === undefined ? [] : [engine.model, ...ALIASES];
  return ids.map((id) => ({ id, object: 'model', created, owned_by: 'stt-worker' }));
}

/** @throws {SttError} NOT_FOUND rather than an answer of another model than was asked for. */
function assertModel({ model }: OpenAiRequest, context: ServiceContext): void {
  if (!modelsOf(context).some(({ id }) => id === model)) throw unknownModel();
}

const unknownModel = (): SttError =>
  new SttError('NOT_FOUND', 'model: not loaded here; GET /v1/models lists the names');
