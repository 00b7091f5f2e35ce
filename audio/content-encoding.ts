import { pipeline, Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { SttError } from '../core/errors.ts';

/** S3 keeps `aws-chunked` of the upload, though nothing of it is left. */
const NONE: ReadonlySet<string> = new Set(['', 'identity', 'aws-chunked']);

const DECODERS: Readonly<Record<string, (head: Uint8Array) => Transform>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  br: () => createBrotliDecompress(),
  deflate: (head) => (isZlib(head) ? createInflate() : createInflateRaw()),
};

/**
 * Undoes the `Content-Encoding` of a body, piece by piece: its reader decides how much is too much.
 * A body that ends too early throws what is no SttError.
 * @throws {SttError} AUDIO_UNSUPPORTED for an encoding that is unknown or one of several,
 * AUDIO_UNDECODABLE for a body that is not in it.
 */
export async function* decodeContent(
  chunks: AsyncIterable<Uint8Array>,
  contentEncoding: string,
): AsyncGenerator<Uint8Array> {
  const names = contentEncoding.split(',').map((name) => name.trim().toLowerCase());
  const [name, ...others] = names.filter((each) => !NONE.has(each));
  if (name === undefined) return yield* chunks;
  const decoder = others.length === 0 ? DECODERS[name] : undefined;
  if (decoder === undefined) {
    const message = 'The host compresses the audio otherwise than by one of gzip, br and deflate';
    throw new SttError('AUDIO_UNSUPPORTED', message);
  }
  const iterator = chunks[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) return;
  const stream = decoder(first.value);
  const source = async function* () {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => iterator };
  };
  try {
    yield* pipeline(Readable.from(source()), stream, () => undefined);
  } catch (thrown) {
    throw isOfContent(thrown)
      ? new SttError('AUDIO_UNDECODABLE', `The body is not ${name}, as the host says`)
      : thrown;
  } finally {
    stream.destroy();
  }
}

/** By RFC 1950; many servers mean RFC 1951 by the same name. */
const isZlib = ([byte0 = 0, byte1 = 0]: Uint8Array): boolean =>
  (byte0 & 0x0f) === 8 && (byte0 * 256 + byte1) % 31 === 0;

/** An end that came too early (`Z_BUF_ERROR`) is the connection's fault. */
const isOfContent = (thrown: unknown): boolean =>
  thrown instanceof Error &&
  'code' in thrown &&
  (thrown.code === 'Z_DATA_ERROR' || /^ERR_(_ERROR|BROTLI)/.test(String(thrown.code)));
