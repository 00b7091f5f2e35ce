import { beginningOf } from '../../../audio/stream-beginning.ts';
import type { AudioFormat } from '../contracts.ts';
import { g711ToPcm16 } from './g711.ts';

/** Audio as clients of other protocols send it. */
export interface IncomingFormat {
  readonly encoding: AudioFormat['encoding'] | 'mulaw' | 'alaw';
  readonly sampleRateHz: number;
  /** Interleaved, of `pcm16`; they are mixed. */
  readonly channels: number;
}

/** Turns pieces of a client's audio into pieces of a format that a session takes. */
export class IncomingAudio {
  readonly #format: IncomingFormat;
  /** The beginning of a frame whose end has not come yet. */
  #rest: Buffer = Buffer.alloc(0);
  /** Whether it has a header after all, which the session reads; undefined before it begins. */
  #isContainer: boolean | undefined;

  constructor(format: IncomingFormat) {
    this.#format = format;
  }

  get isContainer(): boolean {
    return this.#isContainer ?? false;
  }

  get sessionFormat(): AudioFormat {
    const { encoding, sampleRateHz } = this.#format;
    const isTelephony = encoding === 'mulaw' || encoding === 'alaw';
    return { encoding: isTelephony ? 'pcm16' : encoding, sampleRateHz };
  }

  convert(bytes: Buffer): Buffer {
    const { encoding, channels } = this.#format;
    if (bytes.length === 0) return bytes;
    this.#isContainer ??= (beginningOf(bytes) ?? 'samples') !== 'samples';
    if (this.#isContainer) return bytes;
    if (encoding === 'mulaw' || encoding === 'alaw')
      return this.#mixed(g711ToPcm16(bytes, encoding));
    return encoding === 'pcm16' && channels > 1 ? this.#mixed(bytes) : bytes;
  }

  #mixed(piece: Buffer): Buffer {
    const { channels } = this.#format;
    if (channels === 1) return piece;
    const bytes = Buffer.concat([this.#rest, piece]);
    const frames = Math.floor(bytes.length / (2 * channels));
    this.#rest = bytes.subarray(frames * 2 * channels);
    const mono = Buffer.alloc(frames * 2);
    for (let frame = 0; frame < frames; frame++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) {
        sum += bytes.readInt16LE(2 * (frame * channels + channel));
      }
      mono.writeInt16LE(Math.round(sum / channels), frame * 2);
    }
    return mono;
  }
}
