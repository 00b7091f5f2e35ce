import { anySignal } from './any-signal.ts';
import type { DownloadContext, FileContext } from './download-context.ts';
import type { Answer } from './http-answer.ts';
import type { RemoteFile } from './hub-listing.ts';
import type { PartialFile } from './partial-file.ts';
import type { Piece } from './pieces.ts';
import type { ProgressMeter } from './progress-meter.ts';
import { TransientFailure, withRetries } from './retry.ts';

/**
 * Fetches what is missing of a file: one range first, and once the host has shown that it knows
 * ranges, several at a time. Ends when every request has ended, whatever the outcome.
 */
export async function fetchPieces(
  file: RemoteFile,
  partial: PartialFile,
  context: FileContext,
  signal: AbortSignal,
): Promise<void> {
  const { pieces } = partial;
  context.meter.update(0, pieces.doneBytes);
  const failure = new AbortController();
  const stop = anySignal(signal, failure.signal);
  const source = new FileSource(file, context);
  const workers: Promise<void>[] = [];
  const work = async (): Promise<void> => {
    try {
      for (let piece = pieces.take(); piece !== undefined; piece = pieces.take()) {
        await fetchPiece(piece.index, { source, partial, context, startOthers }, stop);
      }
    } catch (thrown) {
      failure.abort(thrown); // the first counts
    }
  };
  const startOthers = (): void => {
    const wanted = Math.min(context.client.tuning.connections, pieces.count);
    while (workers.length < wanted) workers.push(work());
  };
  workers.push(work());
  for (const worker of workers) await worker; // the list grows meanwhile
  signal.throwIfAborted();
  failure.signal.throwIfAborted();
}

interface PieceJob {
  readonly source: FileSource;
  readonly partial: PartialFile;
  readonly context: FileContext;
  readonly startOthers: () => void;
}

async function fetchPiece(index: number, job: PieceJob, signal: AbortSignal): Promise<void> {
  const { source, partial, context, startOthers } = job;
  let missingBefore = Number.POSITIVE_INFINITY;
  const missing = (): number => {
    const rest = partial.pieces.rest(index);
    return rest === undefined ? 0 : rest.endByte - rest.startByte;
  };
  const attempt = (): Promise<void> =>
    context.slots.run(async () => {
      signal.throwIfAborted();
      const piece = partial.pieces.rest(index);
      if (piece === undefined) return;
      missingBefore = missing();
      const answer = await source.open(piece, signal);
      if (answer.status === 206) startOthers();
      await receive(answer, partial, context.meter);
      if (missing() > 0) throw new TransientFailure('The host ended the download early');
    });
  const hasAdvanced = (): boolean => missing() < missingBefore;
  await withRetries(attempt, context.client.retryRules(source.file.path, hasAdvanced), signal);
}

/** A host that ignores ranges sends the file from its start; nothing is lost by taking all of it. */
async function receive(answer: Answer, partial: PartialFile, meter: ProgressMeter): Promise<void> {
  let position = answer.status === 206 ? firstByteOf(answer) : 0;
  const { pieces } = partial;
  for await (const chunk of answer.chunks()) {
    if (position + chunk.length > pieces.sizeBytes) {
      throw new TransientFailure('The host sent more than the file has');
    }
    await partial.write(chunk, position);
    position += chunk.length;
    meter.update(chunk.length, pieces.doneBytes);
  }
}

function firstByteOf(answer: Answer): number {
  const [, firstByte] = /^bytes (\d+)-/.exec(answer.header('content-range') ?? '') ?? [];
  if (firstByte !== undefined) return Number(firstByte);
  answer.abandon();
  throw new TransientFailure('The host answered with a range that it does not name');
}

/** One file's content: asked for at the Hub once, then where it pointed to. */
class FileSource {
  readonly file: RemoteFile;
  readonly #context: DownloadContext;
  #link: URL | undefined;

  constructor(file: RemoteFile, context: DownloadContext) {
    this.file = file;
    this.#context = context;
  }

  async open({ startByte, endByte }: Piece, signal: AbortSignal): Promise<Answer> {
    const { client, commit } = this.#context;
    const isWhole = startByte === 0 && endByte === this.file.sizeBytes;
    const headers: Record<string, string> = isWhole
      ? {}
      : { range: `bytes=${startByte}-${endByte - 1}` };
    try {
      const url = this.#link ?? client.fileUrl(commit, this.file.path);
      const answer = await client.open(url, headers, signal);
      this.#link = answer.url;
      return answer;
    } catch (thrown) {
      this.#link = undefined; // such links expire; the Hub gives a new one
      throw thrown;
    }
  }
}
