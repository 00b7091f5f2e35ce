import { SttError } from '../core/errors.ts';
import type { ChannelLayout } from './channel-mixer.ts';
import { parseFormat } from './wav-header.ts';

const RIFF_BYTES = 12;
const CHUNK_HEAD_BYTES = 8;
/** What stands before the samples is a hundred bytes long. */
const MAX_HEADER_BYTES = 64 * 1024;

/** Reads a WAV of float32 samples as ffmpeg writes it to a pipe, in pieces of any size. */
export class WavStream {
  readonly #onLayout: (layout: ChannelLayout) => Promise<void>;
  /** Bytes of the header, then of a frame that is not whole yet. */
  #carry: Buffer = Buffer.alloc(0);
  /** 0: the header is not over yet. */
  #frameBytes = 0;

  /** @param onLayout told once, before the first frame is given. */
  constructor(onLayout: (layout: ChannelLayout) => Promise<void>) {
    this.#onLayout = onLayout;
  }

  /**
   * The whole frames that these bytes complete, `[frames, channels]`.
   * @throws {SttError} INTERNAL for what is no such WAV; what `onLayout` throws.
   */
  async push(bytes: Uint8Array): Promise<Float32Array> {
    this.#carry = Buffer.concat([this.#carry, bytes]);
    if (this.#frameBytes === 0) await this.#readHeader();
    if (this.#frameBytes === 0) return new Float32Array(0);
    const whole = this.#carry.length - (this.#carry.length % this.#frameBytes);
    // A copy: floats must be aligned.
    const frames = new Float32Array(new Uint8Array(this.#carry.subarray(0, whole)).buffer);
    this.#carry = this.#carry.subarray(whole);
    return frames;
  }

  async #readHeader(): Promise<void> {
    const header = this.#carry;
    let layout: ReturnType<typeof parseFormat>;
    for (let at = RIFF_BYTES; at + CHUNK_HEAD_BYTES <= header.length; ) {
      const id = header.toString('latin1', at, at + 4);
      const body = at + CHUNK_HEAD_BYTES;
      const end = body + header.readUInt32LE(at + 4);
      if (id === 'data' && layout !== undefined) {
        this.#frameBytes = layout.channelCount * Float32Array.BYTES_PER_ELEMENT;
        this.#carry = header.subarray(body);
        return await this.#onLayout(layout);
      }
      if (id === 'fmt ' && end <= header.length) layout = parseFormat(header.subarray(body, end));
      at = end;
    }
    if (header.length > MAX_HEADER_BYTES || !'RIFF'.startsWith(header.toString('latin1', 0, 4))) {
      throw new SttError('INTERNAL', 'ffmpeg wrote something else than the WAV it was asked for');
    }
  }
}
