import { SttError } from '../core/errors.ts';
import { type ChannelLayout, ChannelMixer } from './channel-mixer.ts';
import { makeFinite } from './finite-samples.ts';
import { GAIN_BLOCK_SAMPLES, gainsOf } from './gain.ts';
import { LevelMeter } from './levels.ts';
import { type SpoolFile, type SpoolFolder, writeAt } from './spool.ts';
import type { SpooledSamples } from './spooled-waveform.ts';
import { secToSamples } from './time.ts';

/** More channels than any recorder has; each costs memory. */
const MAX_CHANNELS = 64;
/** Each separate channel is transcribed: so many cost as much as so many recordings. */
const MAX_SEPARATE_CHANNELS = 8;
/** Silence from this length on is a hole in the file; what is shorter takes no space worth saving. */
const MIN_HOLE_FRAMES = secToSamples(1);
const SILENCE = new Float32Array(MIN_HOLE_FRAMES);

/** `mix`: one waveform of all channels; `separate`: one of each. */
export type ChannelMode = 'mix' | 'separate';

/** Where a decoder writes a recording: 16 kHz float32 samples of any number of channels. */
export class RecordingSpool {
  readonly #folder: Pick<SpoolFolder, 'createFile'>;
  readonly #mode: ChannelMode;
  #channelCount = 0;
  #mixer: ChannelMixer | null = null;
  #tracks: Track[] = [];
  #frameCount = 0;

  constructor(folder: Pick<SpoolFolder, 'createFile'>, mode: ChannelMode) {
    this.#folder = folder;
    this.#mode = mode;
  }

  /** Frames written so far. */
  get frameCount(): number {
    return this.#frameCount;
  }

  /**
   * Before the first frame.
   * @throws {SttError} AUDIO_UNSUPPORTED for more channels than are allowed.
   */
  async begin(layout: ChannelLayout): Promise<void> {
    const isMix = this.#mode === 'mix';
    const { channelCount } = layout;
    const most = isMix ? MAX_CHANNELS : MAX_SEPARATE_CHANNELS;
    if (channelCount > most) {
      const message = `The audio has ${channelCount} channels, ${most} are allowed`;
      throw new SttError('AUDIO_UNSUPPORTED', isMix ? message : `${message} separately`);
    }
    this.#channelCount = channelCount;
    this.#mixer = isMix && channelCount > 1 ? new ChannelMixer(layout) : null;
    for (let track = 0; track < (isMix ? 1 : channelCount); track += 1) {
      this.#tracks.push(new Track(await this.#folder.createFile()));
    }
  }

  /**
   * @param frames `[frames, channels]`, whole frames; what is no number becomes silence in it.
   * @throws {SttError} DISK_FULL
   */
  async write(frames: Float32Array): Promise<void> {
    makeFinite(frames);
    this.#frameCount += frames.length / this.#channelCount;
    if (this.#mixer) for (const mix of this.#mixer.push(frames)) await this.#tracks[0]!.write(mix);
    else await this.#writeChannels(frames);
  }

  /** Silence of so many frames, which takes no disk. @throws {SttError} DISK_FULL */
  async skip(frameCount: number): Promise<void> {
    if (frameCount < MIN_HOLE_FRAMES) {
      await this.write(new Float32Array(frameCount * this.#channelCount));
      return;
    }
    this.#frameCount += frameCount;
    for (const mix of this.#mixer?.flush() ?? []) await this.#tracks[0]!.write(mix);
    for (const track of this.#tracks) await track.skip(frameCount);
  }

  async #writeChannels(frames: Float32Array): Promise<void> {
    const channelCount = this.#channelCount;
    for (const [channel, track] of this.#tracks.entries()) {
      const length = frames.length / channelCount;
      const samples = Float32Array.from({ length }, (_, i) => frames[i * channelCount + channel]!);
      await track.write(samples);
    }
  }

  /** The mix alone, or each channel. @throws {SttError} DISK_FULL */
  async finish(): Promise<readonly SpooledSamples[]> {
    for (const mix of this.#mixer?.flush() ?? []) await this.#tracks[0]!.write(mix);
    const levels = this.#tracks.map((track) => track.finish());
    return this.#tracks.map((track, channel) =>
      track.spooled(crosstalk(levels.filter((_, other) => other !== channel))),
    );
  }
}

/** What comes over from another channel is by so much less loud there, or more. */
const CROSSTALK_DB = 15;

/**
 * How loud a channel may be by crosstalk from the others alone. While another channel is much louder,
 * what is heard here is the other's speech, which is not to be raised: both would say the same.
 */
function crosstalk(others: readonly (readonly number[])[]): number[] | undefined {
  return others[0]?.map(
    (_, block) => Math.max(...others.map((levelsDb) => levelsDb[block]!)) - CROSSTALK_DB,
  );
}

/** One waveform that is being written. */
class Track {
  readonly #file: SpoolFile;
  readonly #meter = new LevelMeter(GAIN_BLOCK_SAMPLES);
  readonly #levelsDb: number[] = [];
  #position = 0;

  constructor(file: SpoolFile) {
    this.#file = file;
  }

  async write(samples: Float32Array): Promise<void> {
    this.#levelsDb.push(...this.#meter.push(samples));
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    this.#position = await writeAt(this.#file.handle, bytes, this.#position);
  }

  /** A hole in the file reads as zeros. */
  async skip(sampleCount: number): Promise<void> {
    for (let left = sampleCount; left > 0; left -= SILENCE.length) {
      this.#levelsDb.push(...this.#meter.push(SILENCE.subarray(0, left)));
    }
    this.#position += sampleCount * Float32Array.BYTES_PER_ELEMENT;
    await this.#file.handle.truncate(this.#position);
  }

  /** Level of each block. */
  finish(): readonly number[] {
    this.#levelsDb.push(...this.#meter.flush());
    return this.#levelsDb;
  }

  /** @param leastDb see `gainsOf`. */
  spooled(leastDb: readonly number[] | undefined): SpooledSamples {
    const sampleCount = this.#position / Float32Array.BYTES_PER_ELEMENT;
    const gains = gainsOf(this.#levelsDb, leastDb);
    const peakLevelDb = this.#levelsDb.reduce((most, level) => Math.max(most, level), -Infinity);
    return { handle: this.#file.handle, sampleCount, gains, peakLevelDb };
  }
}
