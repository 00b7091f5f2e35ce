import { LevelMeter, MIN_LEVEL_DB } from './levels.ts';
import { msToSamples } from './time.ts';

/** Louder speech stays as it is; voice activity begins to miss words about 20 dB below. */
const QUIET_DB = -30;
/** What is as loud as this on average is brought down to it: its peaks lie above full scale. */
const LOUD_DB = -6;
/** Noise is not raised above this: it would sound like something. */
const MAX_NOISE_DB = -50;
const MAX_GAIN_DB = 70;
/** Nothing is raised further above ordinary speech, as what begins behind silence, or is short. */
const HEADROOM_DB = 10;
/** Noise is the level that a tenth of the blocks around stay below. */
const NOISE_SHARE = 0.1;
/** Digital silence from this length on is a gap or a mute; speech behind a noise gate pauses for less. */
const GAP_MS = 1000;
/** Of less sound nobody can tell whether it is noise. */
const LEAST_HEARD_MS = 1000;

/** Gains of recordings are known by blocks of this length. */
export const GAIN_BLOCK_SAMPLES = msToSamples(100);
/** Loudness is what this many blocks around a block reach or exceed: no knock lasts as long. */
const LOUD_BLOCKS = 4;
const NEAR_BLOCKS = 10;
const FAR_BLOCKS = 150;
/** Noise changes slowly: it is measured anew every second. */
const NOISE_STEP_BLOCKS = 10;

/**
 * The gain of each block by the levels around it, `[blocks]`, linear: quiet speech is raised to the
 * level of ordinary speech as far as the noise allows, also beside loud speech, and all else stays.
 * @param levelsDb by a `LevelMeter` with blocks of `GAIN_BLOCK_SAMPLES`.
 * @param leastDb what a block counts as at least, as if it were so loud.
 */
export function gainsOf(
  levelsDb: readonly number[],
  leastDb: readonly number[] = levelsDb,
): Float32Array {
  const noiseDb = noiseLevels(levelsDb);
  const countedDb = levelsDb.map((levelDb, block) => Math.max(levelDb, leastDb[block]!));
  return Float32Array.from(levelsDb, (_, block) => {
    const near = around(countedDb, block, NEAR_BLOCKS);
    const atOnceDb = Math.max(...around(countedDb, block, 1)) - HEADROOM_DB;
    const loudDb = Math.max(loudnessOf(near, LOUD_BLOCKS), Math.min(atOnceDb, QUIET_DB));
    return gainFor(loudDb, noiseDb[Math.floor(block / NOISE_STEP_BLOCKS)]!);
  });
}

const noiseLevels = (levelsDb: readonly number[]): number[] =>
  Array.from({ length: Math.ceil(levelsDb.length / NOISE_STEP_BLOCKS) }, (_, step) =>
    noiseOf(around(levelsDb, step * NOISE_STEP_BLOCKS, FAR_BLOCKS), GAIN_BLOCK_SAMPLES),
  );

const around = (levelsDb: readonly number[], block: number, reach: number): readonly number[] =>
  levelsDb.slice(Math.max(0, block - reach), block + reach + 1);

/** Half of the blocks decide where there are few. */
function loudnessOf(levelsDb: readonly number[], loudBlocks: number): number {
  const rank = Math.min(loudBlocks, Math.ceil(levelsDb.length / 2));
  return Float32Array.from(levelsDb).sort().at(-rank)!;
}

/** The noise of the room, which is not heard in gaps. */
function noiseOf(levelsDb: readonly number[], blockSamples: number): number {
  const heardDb = withoutGaps(levelsDb, msToSamples(GAP_MS) / blockSamples);
  const isEnough = heardDb.length * blockSamples >= msToSamples(LEAST_HEARD_MS);
  const sorted = Float32Array.from(isEnough ? heardDb : levelsDb).sort();
  return sorted[Math.floor(NOISE_SHARE * sorted.length)]!;
}

function withoutGaps(levelsDb: readonly number[], gapBlocks: number): number[] {
  const heardDb: number[] = [];
  let silentBlocks = 0;
  for (const levelDb of [...levelsDb, 0]) {
    const isSilent = levelDb === MIN_LEVEL_DB;
    if (!isSilent && silentBlocks >= gapBlocks) heardDb.length -= silentBlocks;
    silentBlocks = isSilent ? silentBlocks + 1 : 0;
    heardDb.push(levelDb);
  }
  return heardDb.slice(0, -1);
}

function gainFor(loudDb: number, noiseDb: number): number {
  if (loudDb > LOUD_DB) return amplitude(LOUD_DB - loudDb);
  const raiseDb = Math.min(QUIET_DB - loudDb, MAX_NOISE_DB - noiseDb, MAX_GAIN_DB);
  return raiseDb > 0 ? amplitude(raiseDb) : 1;
}

const amplitude = (db: number): number => 10 ** (db / 20);

/** What is loud for a moment within quiet speech does not become louder than all else. */
const raised = (sample: number, gain: number): number =>
  gain > 1 ? Math.max(-1, Math.min(1, sample * gain)) : sample * gain;

/** Multiplies samples that begin at `start` of a recording by its gains, from block to block. */
export function applyGains(waveform: Float32Array, start: number, gains: Float32Array): void {
  const last = gains.length - 1;
  for (let sample = 0; sample < waveform.length; sample += 1) {
    const place = Math.max(0, (start + sample) / GAIN_BLOCK_SAMPLES - 0.5);
    const block = Math.min(last, Math.floor(place));
    const before = gains[block]!;
    const gain = before + (gains[Math.min(last, block + 1)]! - before) * (place - block);
    if (gain !== 1) waveform[sample] = raised(waveform[sample]!, gain);
  }
}

/** A copy of a whole recording or window in which quiet speech is raised. */
export function levelled(waveform: Float32Array): Float32Array<ArrayBuffer> {
  const meter = new LevelMeter(GAIN_BLOCK_SAMPLES);
  const gains = gainsOf([...meter.push(waveform), ...meter.flush()]);
  const copy = Float32Array.from(waveform);
  applyGains(copy, 0, gains);
  return copy;
}

const LIVE_LOUD_MS = 200;
const LIVE_NEAR_MS = 1200;
const LIVE_FAR_MS = 10_000;

/** The same for what is heard as it comes: by what was heard before, the loudness of a second. */
export class LiveGain {
  readonly #meter: LevelMeter;
  readonly #frameSamples: number;
  readonly #levelsDb: number[] = [];
  #gain = 1;

  constructor(frameSamples: number) {
    this.#meter = new LevelMeter(frameSamples);
    this.#frameSamples = frameSamples;
  }

  /** @param waveform whole frames, behind those of the last call; a copy is returned. */
  push(waveform: Float32Array): Float32Array<ArrayBuffer> {
    const copy = Float32Array.from(waveform);
    for (const [frame, levelDb] of this.#meter.push(waveform).entries()) {
      const start = frame * this.#frameSamples;
      this.#raise(copy.subarray(start, start + this.#frameSamples), this.#gainAfter(levelDb));
    }
    return copy;
  }

  #gainAfter(levelDb: number): number {
    const framesIn = (ms: number): number => Math.round(msToSamples(ms) / this.#frameSamples);
    this.#levelsDb.push(levelDb);
    if (this.#levelsDb.length > framesIn(LIVE_FAR_MS)) this.#levelsDb.shift();
    const near = this.#levelsDb.slice(-framesIn(LIVE_NEAR_MS));
    const atOnceDb = Math.min(levelDb - HEADROOM_DB, QUIET_DB);
    const loudDb = Math.max(loudnessOf(near, framesIn(LIVE_LOUD_MS)), atOnceDb);
    return gainFor(loudDb, noiseOf(this.#levelsDb, this.#frameSamples));
  }

  /** From the gain of the frame before to this one's, which may have to fall at once. */
  #raise(frame: Float32Array, gain: number): void {
    const before = Math.min(this.#gain, gain);
    this.#gain = gain;
    if (before === 1 && gain === 1) return;
    for (let sample = 0; sample < frame.length; sample += 1) {
      const now = before + ((gain - before) * (sample + 1)) / frame.length;
      frame[sample] = raised(frame[sample]!, now);
    }
  }
}
