import type { FastifyReply } from 'fastify';
import { SttError } from '../../../core/errors.ts';
import { spokenLanguage } from '../../../core/languages.ts';
import { joinTexts } from '../../languages.ts';
import type { JobResult } from '../../result.ts';
import type { WireSegment } from '../../wire-segment.ts';
import type { Respond, RunHeld } from '../answer-job.ts';
import { EventStream } from '../event-stream.ts';
import { diarizedSegment, usageOf } from './openai-answer.ts';
import { openAiErrorOf } from './openai-errors.ts';
import type { OpenAiRequest } from './openai-request.ts';

/** Runs a job and answers with OpenAI's events: text as it is recognised, then the whole. */
export async function streamTranscript(
  run: RunHeld,
  asked: OpenAiRequest,
  reply: FastifyReply,
): Promise<Respond> {
  const events = new EventStream(reply);
  const isDiarized = asked.format === 'diarized_json';
  const { language } = asked.input;
  const deltas = new DeltaWriter(
    typeof language === 'string' ? spokenLanguage(language)?.code : undefined,
    (delta) => events.sendUnnamed({ type: 'transcript.text.delta', delta }),
  );
  const onSegments = (segments: readonly WireSegment[]): void => {
    if (!isDiarized) deltas.write(segments.map(({ text }) => text));
  };
  const output = await run({ onSegments });
  return () => {
    if ('error' in output) {
      const { code, message } = output.error;
      events.sendUnnamed(openAiErrorOf(new SttError(code, message)));
    } else {
      if (isDiarized) sendSegments(output, events);
      else deltas.finish(output.transcript);
      events.sendUnnamed({
        type: 'transcript.text.done',
        text: output.transcript,
        usage: usageOf(output),
      });
      events.sendUnnamed('[DONE]');
    }
    events.close();
    return reply;
  };
}

/** Speakers are known only when everything was heard, so their segments come last. */
function sendSegments({ segments }: JobResult, events: EventStream): void {
  for (const [index, segment] of segments.entries()) {
    events.sendUnnamed(diarizedSegment(segment, index));
  }
}

/**
 * Pieces of text that make the transcript when they are put together. Whether a space stands
 * between them is the language's affair: without knowing it nothing is told before the end.
 */
export class DeltaWriter {
  readonly #language: string | undefined;
  readonly #send: (delta: string) => void;
  #text: string | undefined;

  constructor(language: string | undefined, send: (delta: string) => void) {
    this.#language = language;
    this.#send = send;
  }

  write(texts: readonly string[]): void {
    if (this.#language === undefined) return;
    for (const text of texts) {
      const whole = this.#text === undefined ? text : joinTexts([this.#text, text], this.#language);
      this.#tell(whole);
    }
  }

  /** The rest of the transcript; all of it where nothing was told. */
  finish(transcript: string): void {
    if (transcript.startsWith(this.#text ?? '')) this.#tell(transcript);
  }

  #tell(whole: string): void {
    const delta = whole.slice(this.#text?.length ?? 0);
    this.#text = whole;
    if (delta !== '') this.#send(delta);
  }
}
