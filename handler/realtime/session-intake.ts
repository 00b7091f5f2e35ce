import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findFfmpeg } from '../../audio/ffmpeg-path.ts';
import { STREAM_CONTAINERS, type StreamContainer } from '../../audio/ffmpeg-stream.ts';
import { beginningOf } from '../../audio/stream-beginning.ts';
import { SttError } from '../../core/errors.ts';
import type { AudioFormat } from './contracts.ts';
import type { LiveHost } from './live-host.ts';
import type { SessionStore } from './session-store.ts';
import { SessionStream } from './session-stream.ts';
import { containerDecoder, rawDecoder, type StreamDecoder } from './stream-decoders.ts';

export type Reception =
  | { readonly kind: 'taken' | 'repeated' }
  | { readonly kind: 'missing'; readonly expectedSeq: number };

type Encoding = Exclude<AudioFormat['encoding'], 'auto'>;

const ENCODINGS: readonly Encoding[] = ['pcm16', 'float32', ...STREAM_CONTAINERS];
/** Their beginning may be missing: frames without a header can be found anywhere. */
const HEADLESS: ReadonlySet<Encoding> = new Set(['mp3', 'aac']);
/** What the first bytes have told: those of later pieces do not. */
const ENCODING_FILE = 'encoding';

/** Turns the numbered pieces of a client's audio into a session's samples, each piece once. */
export class SessionIntake {
  readonly #host: LiveHost;
  readonly #store: SessionStore;
  readonly #ffmpegPath: string | undefined;
  /** The session is of an earlier process, which had heard a part of it. */
  readonly #isTakenUp: boolean;
  /** Hears once of samples that have another rate than the client says. */
  onOtherRate: (rateHz: number) => void = () => {};
  #decoder: Promise<StreamDecoder> | undefined;
  /** Pieces that came before it was known what they are. */
  #head: { readonly bytes: Buffer; readonly seq: number }[] = [];
  #receivedSeq: number;

  constructor(host: LiveHost, store: SessionStore, ffmpegPath: string | undefined) {
    this.#host = host;
    this.#store = store;
    this.#ffmpegPath = ffmpegPath;
    this.#receivedSeq = host.chunkSeq;
    this.#isTakenUp = host.chunkSeq > 0;
  }

  /** Last piece that came; a client that returns goes on behind it. */
  get receivedSeq(): number {
    return this.#receivedSeq;
  }

  /** Goes on with an encoded stream that an earlier process has kept; without one it does nothing. */
  async takeUp(): Promise<void> {
    const encoding = await this.#knownEncoding();
    const isOver = this.#host.ending !== null;
    if (isOver || !this.#isTakenUp || !this.#keeps(encoding)) return;
    this.#decoder = this.#open(encoding);
    this.#decoder.catch(this.#refuse);
  }

  /** @param seq 1 for the first piece; where a client does not count, its pieces are counted. */
  accept(bytes: Buffer, seq = this.#receivedSeq + 1): Reception {
    if (seq <= this.#receivedSeq) return { kind: 'repeated' };
    const expectedSeq = this.#receivedSeq + 1;
    if (seq > expectedSeq) return { kind: 'missing', expectedSeq };
    this.#receivedSeq = seq;
    this.#head.push({ bytes, seq });
    if (this.#decoder === undefined) {
      const beginning = beginningOf(Buffer.concat(this.#head.map((piece) => piece.bytes)));
      if (beginning === undefined && !this.#isTakenUp) return { kind: 'taken' };
      this.#decoder = this.#openFor(beginning ?? 'samples');
    }
    this.#writeHead(this.#decoder);
    return { kind: 'taken' };
  }

  #writeHead(decoder: Promise<StreamDecoder>): void {
    for (const { bytes, seq } of this.#head.splice(0)) {
      void decoder.then((opened) => opened.write(bytes, seq)).catch(this.#refuse);
    }
  }

  /** What was understood before becomes final; then the session ends, and says why. */
  readonly #refuse = (thrown: unknown): void => this.#host.end('error', SttError.from(thrown));

  /** Settles when the host has all that was accepted. */
  async flush(): Promise<void> {
    if (this.#head.length > 0) {
      this.#decoder ??= this.#openFor('samples');
      this.#writeHead(this.#decoder);
    }
    await (await this.#decoder?.catch(() => undefined))?.flush();
  }

  close(): void {
    void this.#decoder?.then((decoder) => decoder.close()).catch(() => undefined);
  }

  /** Bytes know better than clients: one recorder writes WebM in one browser and MP4 in another. */
  async #openFor(beginning: Exclude<ReturnType<typeof beginningOf>, undefined>) {
    const declared = this.#host.identity.format.encoding;
    const known = this.#isTakenUp ? await this.#knownEncoding() : undefined;
    const encoding = known ?? encodingOf(beginning, declared);
    if (known === undefined && this.#store.isDurable) {
      await writeFile(join(this.#store.folder, ENCODING_FILE), encoding, { mode: 0o600 });
    }
    return await this.#open(encoding);
  }

  async #open(encoding: Encoding): Promise<StreamDecoder> {
    if (encoding === 'pcm16' || encoding === 'float32') {
      const { sampleRateHz: rateHz } = this.#host.identity.format;
      const onOtherRate = (otherHz: number): void => this.onOtherRate(otherHz);
      return rawDecoder(this.#host, { encoding, rateHz, onOtherRate });
    }
    if (this.#isTakenUp && !this.#keeps(encoding)) {
      const message = 'The service has restarted, and an encoded stream cannot go on';
      throw new SttError('AUDIO_UNDECODABLE', `${message}: start a new session`);
    }
    const ffmpegPath = await findFfmpeg(this.#ffmpegPath);
    const { folder } = this.#store;
    const kept = this.#keeps(encoding)
      ? await SessionStream.open(folder, this.#host.chunkSeq)
      : undefined;
    const source = { ffmpegPath, container: encoding, kept, onFailure: this.#refuse };
    return containerDecoder(this.#host, source);
  }

  /** With all of its audio a session also keeps the stream that it came in. */
  #keeps(encoding: Encoding | undefined): encoding is StreamContainer {
    const isContainer = encoding === 'webm' || encoding === 'ogg' || encoding === 'wav';
    return isContainer && this.#store.isDurable && this.#host.identity.keepsAudio;
  }

  /** As its first bytes have told, or else as the client says; undefined before they come. */
  async #knownEncoding(): Promise<Encoding | undefined> {
    const path = join(this.#store.folder, ENCODING_FILE);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    const { encoding } = this.#host.identity.format;
    return (
      ENCODINGS.find((known) => known === text) ?? (encoding === 'auto' ? undefined : encoding)
    );
  }
}

/** @throws {SttError} AUDIO_UNSUPPORTED */
function encodingOf(
  beginning: Exclude<ReturnType<typeof beginningOf>, undefined>,
  declared: AudioFormat['encoding'],
): Encoding {
  if (beginning === 'foreign') {
    const formats = 'WebM, Ogg, WAV, MP3, FLAC, AAC or an MP4 whose index comes first';
    throw new SttError('AUDIO_UNSUPPORTED', `A live stream must be ${formats}, or samples`);
  }
  if (beginning !== 'samples') return beginning;
  if (declared === 'auto') return 'pcm16';
  if (declared === 'pcm16' || declared === 'float32' || HEADLESS.has(declared)) return declared;
  throw new SttError('AUDIO_UNSUPPORTED', `The stream does not begin as ${declared} does`);
}
