import { findFfmpeg } from '../../audio/ffmpeg-path.ts';
import {
  type DecodingStream,
  openDecodingStream,
  type StreamContainer,
} from '../../audio/ffmpeg-stream.ts';
import { StreamResampler } from '../../audio/stream-resampler.ts';
import { SAMPLE_RATE_HZ } from '../../audio/time.ts';
import { SttError } from '../../core/errors.ts';
import type { AudioFormat } from './contracts.ts';
import type { LiveHost } from './live-host.ts';
import { pcm16Waveform } from './pcm16.ts';

export type Reception =
  | { readonly kind: 'taken' | 'repeated' }
  | { readonly kind: 'missing'; readonly expectedSeq: number };

interface Decoder {
  write(bytes: Buffer, chunkSeq: number): void;
  flush(): Promise<void>;
  close(): void;
}

/** Turns the numbered pieces of a client's audio into a session's samples, each piece once. */
export class SessionIntake {
  readonly #host: LiveHost;
  readonly #format: AudioFormat;
  readonly #ffmpegPath: string | undefined;
  #decoder: Promise<Decoder> | undefined;
  #receivedSeq: number;

  constructor(host: LiveHost, format: AudioFormat, ffmpegPath: string | undefined) {
    this.#host = host;
    this.#format = format;
    this.#ffmpegPath = ffmpegPath;
    this.#receivedSeq = host.chunkSeq;
  }

  /** Last piece that came; a client that returns goes on behind it. */
  get receivedSeq(): number {
    return this.#receivedSeq;
  }

  /** @param seq 1 for the first piece; where a client does not count, its pieces are counted. */
  accept(bytes: Buffer, seq = this.#receivedSeq + 1): Reception {
    if (seq <= this.#receivedSeq) return { kind: 'repeated' };
    const expectedSeq = this.#receivedSeq + 1;
    if (seq > expectedSeq) return { kind: 'missing', expectedSeq };
    this.#receivedSeq = seq;
    this.#decoder ??= this.#open(bytes);
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

  async #open(head: Buffer): Promise<Decoder> {
    const encoding = this.#format.encoding === 'auto' ? encodingOf(head) : this.#format.encoding;
    if (encoding === 'pcm16' || encoding === 'float32') {
      return rawDecoder(this.#host, encoding, this.#format.sampleRateHz);
    }
    if (this.#receivedSeq > 1) {
      // Only the stream's beginning, which an earlier process had, says how to decode it.
      throw new SttError('AUDIO_UNDECODABLE', 'An encoded stream cannot go on in a new process');
    }
    const ffmpegPath = await findFfmpeg(this.#ffmpegPath);
    return containerDecoder(this.#host, { ffmpegPath, container: encoding }, this.#refuse);
  }
}

function encodingOf(head: Buffer): 'pcm16' | StreamContainer {
  if (head.readUInt32BE(0) === 0x1a45dfa3) return 'webm';
  const letters = head.toString('latin1', 0, 4);
  if (letters === 'OggS') return 'ogg';
  return letters === 'RIFF' ? 'wav' : 'pcm16';
}

function rawDecoder(host: LiveHost, encoding: 'pcm16' | 'float32', rateHz: number): Decoder {
  const resampler = rateHz === SAMPLE_RATE_HZ ? null : new StreamResampler(rateHz);
  const toWaveform = encoding === 'pcm16' ? pcm16Waveform : float32Waveform;
  const bytesPerSample = encoding === 'pcm16' ? 2 : 4;
  let odd: Buffer = Buffer.alloc(0);
  return {
    write: (piece, chunkSeq) => {
      const bytes = odd.length > 0 ? Buffer.concat([odd, piece]) : piece;
      const whole = bytes.length - (bytes.length % bytesPerSample);
      odd = bytes.subarray(whole);
      const waveform = toWaveform(bytes.subarray(0, whole));
      host.hear(resampler?.push(waveform) ?? waveform, chunkSeq);
    },
    flush: async () => {
      if (resampler) host.hear(resampler.flush(), host.heardSeq);
    },
    close: () => undefined,
  };
}

function float32Waveform(bytes: Buffer): Float32Array<ArrayBuffer> {
  const waveform = new Float32Array(Math.floor(bytes.length / 4));
  for (let sample = 0; sample < waveform.length; sample++) {
    const value = bytes.readFloatLE(sample * 4);
    waveform[sample] = Number.isFinite(value) ? Math.max(-1, Math.min(value, 1)) : 0;
  }
  return waveform;
}

function containerDecoder(
  host: LiveHost,
  source: { readonly ffmpegPath: string; readonly container: StreamContainer },
  onFailure: (error: SttError) => void,
): Decoder {
  let written = 0;
  const stream: DecodingStream = openDecodingStream(
    source,
    (bytes) => host.hear(pcm16Waveform(bytes), written),
    onFailure,
  );
  return {
    write: (bytes, chunkSeq) => {
      written = chunkSeq;
      stream.write(bytes);
    },
    flush: () => stream.end(),
    close: () => stream.kill(),
  };
}
