import { SttError } from '../../core/errors.ts';
import { asError, failureBody, type ResultBody } from './result-body.ts';

export interface StreamOptions {
  /** Repeats all chunks in the last post; without it `/run` and `/runsync` get an empty list. */
  readonly aggregate: boolean;
  /** Throws for a chunk that can never be sent: then the stream ends with that error. */
  postChunk(chunk: unknown): Promise<void>;
}

export const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

/** Posts chunk after chunk, waiting for each, and returns the body of the last post. */
export async function streamOutput(
  chunks: AsyncIterable<unknown>,
  { aggregate, postChunk }: StreamOptions,
  signal: AbortSignal,
): Promise<ResultBody> {
  const posted: unknown[] = [];
  try {
    for await (const chunk of chunks) {
      if (signal.aborted) break;
      const error = errorOf(chunk);
      if (error !== undefined) return { error };
      const unsendable = await postChunk(chunk).then(
        () => undefined,
        (thrown: unknown) => failureBody(SttError.from(thrown)),
      );
      if (unsendable !== undefined) return unsendable;
      if (aggregate) posted.push(chunk);
    }
    return { output: posted };
  } catch (thrown) {
    const { message, stack } = asError(thrown);
    return { error: `handler: ${message} \ntraceback: ${stack ?? ''}` };
  }
}

/** A chunk with a truthy `error` ends the stream; the platform expects text there. */
function errorOf(chunk: unknown): string | undefined {
  if (typeof chunk !== 'object' || chunk === null || !('error' in chunk)) return undefined;
  const { error } = chunk;
  if (!error) return undefined;
  return typeof error === 'string' ? error : JSON.stringify(error);
}
