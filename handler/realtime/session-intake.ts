import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findFfmpeg } from '../../audio/ffmpeg-path.ts';
import type { StreamContainer } from '../../audio/ffmpeg-stream.ts';
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

const ENCODINGS: readonly Encoding[] = ['pcm16', 'float32', 'webm', 'ogg', 'wav'];
/** What the first bytes have told: those of later pieces do not. */
const ENCODING_FILE = 'encoding';

/** Turns the numbered pieces of a client's audio into a session's samples, each piece once. */
export class SessionIntake {
  readonly #host: LiveHost;
  readonly #store: SessionStore;
  readonly #ffmpegPath: string | undefined;
  /** The session is of an earlier process, which had heard a part of it. */
  readonly #isTakenUp: boolean;
  #decoder: Promise<StreamDecoder> | undefined;
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
    this.#decoder ??= this.#openFor(bytes);
    void this.#decoder.then((decoder) => decoder.write(bytes, seq)).catch(this.#refuse);
    return { kind: 'taken' };
  }

  /** What was understood before becomes final; then the session ends, and says why. */
  readonly #refuse = (thrown: unknown): void => this.#host.end('error', SttError.from(thrown));

  /** Settles when the host has all that was accepted. */
  async flush(): Promise<void> {
    await (await this.#decoder?.catch(() => undefined))?.flush();
  }

  close(): void {
    void this.#decoder?.then((decoder) => decoder.close()).catch(() => undefined);
  }

  async #openFor(head: Buffer): Promise<StreamDecoder> {
    const known = await this.#knownEncoding();
    const encoding = known ?? encodingOf(head);
    if (known === undefined && this.#store.isDurable) {
      await writeFile(join(this.#store.folder, ENCODING_FILE), encoding, { mode: 0o600 });
    }
    return await this.#open(encoding);
  }

  async #open(encoding: Encoding): Promise<StreamDecoder> {
    if (encoding === 'pcm16' || encoding === 'float32') {
      return rawDecoder(this.#host, encoding, this.#host.identity.format.sampleRateHz);
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

  /** As the client says, or as its first bytes have told; undefined before they come. */
  async #knownEncoding(): Promise<Encoding | undefined> {
    const { encoding } = this.#host.identity.format;
    if (encoding !== 'auto') return encoding;
    const path = join(this.#store.folder, ENCODING_FILE);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    return ENCODINGS.find((known) => known === text);
  }
}

function encodingOf(head: Buffer): 'pcm16' | StreamContainer {
  const letters = head.toString('latin1', 0, 4);
  if (letters === '\x1aE\xdf\xa3') return 'webm';
  if (letters === 'OggS') return 'ogg';
  return letters === 'RIFF' ? 'wav' : 'pcm16';
}
