import type { FastifyReply, FastifyRequest } from 'fastify';
import { SttError } from '../../../core/errors.ts';
import type { ServiceJob } from '../../jobs/contracts.ts';
import { joinTexts } from '../../languages.ts';
import type { JobResult } from '../../result.ts';
import type { WireSegment } from '../../wire-segment.ts';
import { contextOf } from '../answer-job.ts';
import { EventStream } from '../event-stream.ts';
import type { ServiceContext } from '../service-context.ts';
import { diarizedSegment, usageOf } from './openai-answer.ts';
import { openAiErrorOf } from './openai-errors.ts';
import type { OpenAiRequest } from './openai-request.ts';

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Runs a job and answers with OpenAI's events: text as it is recognised, then the whole. */
export async function streamTranscript(
  job: ServiceJob,
  asked: OpenAiRequest,
  { request, reply }: Exchange,
  { context, signal }: { readonly context: ServiceContext; readonly signal: AbortSignal },
): Promise<FastifyReply> {
  const events = new EventStream(reply);
  const deltas = new DeltaWriter(events, String(asked.input['language'] ?? 'en'));
  try {
    const isDiarized = asked.format === 'diarized_json';
    const onSegments = (segments: readonly WireSegment[]): void => {
      if (!isDiarized) deltas.write(segments);
    };
    const output = await context.executor.execute(
      job,
      contextOf(request, context, signal, { onSegments }),
    );
    if ('error' in output) {
      const { code, message } = output.error;
      events.sendUnnamed(openAiErrorOf(new SttError(code, message)));
    } else {
      finish(output, isDiarized, events, deltas);
    }
  } finally {
    events.close();
  }
  return reply;
}

/** Speakers are known only when everything was heard, so their segments come last. */
function finish(
  result: JobResult,
  isDiarized: boolean,
  events: EventStream,
  deltas: DeltaWriter,
): void {
  if (isDiarized) {
    for (const [index, segment] of result.segments.entries()) {
      events.sendUnnamed(diarizedSegment(segment, index));
    }
  } else if (deltas.isEmpty && result.transcript !== '') {
    deltas.writeText(result.transcript);
  }
  events.sendUnnamed({
    type: 'transcript.text.done',
    text: result.transcript,
    usage: usageOf(result),
  });
  events.sendUnnamed('[DONE]');
}

/** Pieces of text that make the transcript when they are put together. */
class DeltaWriter {
  readonly #events: EventStream;
  readonly #language: string;
  #text = '';

  constructor(events: EventStream, language: string) {
    this.#events = events;
    this.#language = language;
  }

  get isEmpty(): boolean {
    return this.#text === '';
  }

  write(segments: readonly WireSegment[]): void {
    for (const { text } of segments.filter((segment) => segment.text !== '')) {
      const joined = this.isEmpty ? text : joinTexts([this.#text, text], this.#language);
      this.writeText(joined.slice(this.#text.length));
    }
  }

  writeText(delta: string): void {
    this.#text += delta;
    this.#events.sendUnnamed({ type: 'transcript.text.delta', delta });
  }
}
