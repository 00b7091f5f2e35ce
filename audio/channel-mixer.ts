import { msToSamples } from './time.ts';

/** How the channels of a recording are laid out. */
export interface ChannelLayout {
  readonly channelCount: number;
  /** Speaker bits of WAVE_FORMAT_EXTENSIBLE, 0 if the file names none. */
  readonly channelMask: number;
}

const HALF_POWER = Math.SQRT1_2;

/**
 * Share of each speaker in a mono mix, in the order of the WAV mask bits: front left and right,
 * centre, LFE, back left and right, front left and right of centre, back centre, side left and
 * right. From ffmpeg's libswresample/rematrix.c (surround level √½, LFE dropped).
 */
const SPEAKER_SHARES = [
  ...[HALF_POWER, HALF_POWER, 1, 0, 0.5, 0.5],
  ...[HALF_POWER, HALF_POWER, 0.5, 0.5, 0.5],
];
/** Of the ceiling's speakers and what else the mask may name. */
const OTHER_SHARE = 0.5;

/**
 * Weights `[channels]`, in file order, whose sum is at most 1, so that the mix cannot clip. A named
 * layout is weighted as `ffmpeg -ac 1` does; without one any channel may hold the speech: they are equal.
 */
export function downmixWeights({ channelCount, channelMask }: ChannelLayout): number[] {
  const named = speakersOf(channelMask);
  const shares = named.map((speaker) => SPEAKER_SHARES[speaker] ?? OTHER_SHARE);
  const sum = shares.reduce((total, share) => total + share, 0);
  if (named.length !== channelCount || sum === 0) {
    return Array.from({ length: channelCount }, () => 1 / channelCount);
  }
  return shares.map((share) => share / Math.max(1, sum));
}

const speakersOf = (mask: number): number[] =>
  Array.from({ length: 32 }, (_, speaker) => speaker).filter((speaker) => (mask >>> speaker) & 1);

/** Phase is judged by stretches of this length. */
const BLOCK_FRAMES = msToSamples(500);
/** One of so many frames is enough to judge by. */
const JUDGED_STEP = 7;
/** Correlation of two channels, of either sign, from which they are taken to be the same sound. */
const SAME_SOUND = 0.5;

/**
 * Mixes channels into one. A channel whose phase is opposite to a louder one's is turned over, since
 * it would cancel that one; the sign holds until the correlation says the contrary.
 */
export class ChannelMixer {
  readonly #weights: readonly number[];
  readonly #signs: number[];
  /** Frames of the block that is being filled, interleaved. */
  readonly #block: Float32Array;
  #filled = 0;

  constructor(layout: ChannelLayout) {
    this.#weights = downmixWeights(layout);
    this.#signs = this.#weights.map(() => 1);
    this.#block = new Float32Array(BLOCK_FRAMES * this.#weights.length);
  }

  /** @param frames `[frames, channels]`, whole frames; the mix comes by blocks of half a second. */
  push(frames: Float32Array): Float32Array[] {
    const mixes: Float32Array[] = [];
    for (let taken = 0; taken < frames.length; ) {
      const part = frames.subarray(taken, taken + this.#block.length - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === this.#block.length) mixes.push(...this.flush());
    }
    return mixes;
  }

  /** The mix of what has come since the last whole block. */
  flush(): Float32Array[] {
    if (this.#filled === 0) return [];
    const block = this.#block.subarray(0, this.#filled);
    this.#filled = 0;
    return [this.#mix(block)];
  }

  #mix(block: Float32Array): Float32Array {
    const channels = this.#weights.length;
    const mix = new Float32Array(block.length / channels);
    const louder: JudgedChannel[] = [];
    for (const judged of this.#loudestFirst(block)) {
      const { channel } = judged;
      const sign = this.#signOf(judged, louder);
      this.#signs[channel] = sign;
      louder.push(judged);
      const weight = sign * this.#weights[channel]!;
      for (let frame = 0; frame < mix.length; frame += 1) {
        mix[frame]! += weight * block[frame * channels + channel]!;
      }
    }
    return mix;
  }

  /** The channels that have a share in the mix. */
  #loudestFirst(block: Float32Array): JudgedChannel[] {
    const share = ({ channel, norm }: JudgedChannel): number => this.#weights[channel]! * norm;
    return this.#weights
      .map((_, channel) => judge(block, channel, this.#weights.length))
      .filter(({ channel }) => this.#weights[channel]! > 0)
      .sort((a, b) => share(b) - share(a));
  }

  /** That of the louder channel which is most alike, or turned over. */
  #signOf(judged: JudgedChannel, louder: readonly JudgedChannel[]): number {
    let most = 0;
    let sign = this.#signs[judged.channel]!;
    for (const other of louder) {
      const correlation = correlate(judged, other);
      if (Math.abs(correlation) < Math.max(SAME_SOUND, most)) continue;
      most = Math.abs(correlation);
      sign = Math.sign(correlation) * this.#signs[other.channel]!;
    }
    return sign;
  }
}

/** Some frames of a channel. */
interface JudgedChannel {
  readonly channel: number;
  readonly samples: Float32Array;
  /** Root of the sum of their squares. */
  readonly norm: number;
}

function judge(block: Float32Array, channel: number, channelCount: number): JudgedChannel {
  const length = Math.ceil(block.length / channelCount / JUDGED_STEP);
  const samples = new Float32Array(length);
  for (let i = 0; i < length; i += 1) samples[i] = block[i * JUDGED_STEP * channelCount + channel]!;
  return { channel, samples, norm: Math.hypot(...samples) };
}

/** Cosine of the angle between two channels, 0 where one is silent. */
function correlate(one: JudgedChannel, other: JudgedChannel): number {
  const norms = one.norm * other.norm;
  if (norms === 0) return 0;
  let product = 0;
  for (let i = 0; i < one.samples.length; i += 1) product += one.samples[i]! * other.samples[i]!;
  return product / norms;
}
