import { SAMPLE_RATE_HZ } from './time.ts';

/** Of digital silence; far below the noise of any microphone. */
export const MIN_LEVEL_DB = -140;

/** One-pole high-pass: neither an offset nor hum decides how loud speech is. */
const HIGH_PASS_HZ = 150;
const FEEDBACK = Math.exp((-2 * Math.PI * HIGH_PASS_HZ) / SAMPLE_RATE_HZ);

/** Measures a waveform block by block as it comes, in pieces of any size. */
export class LevelMeter {
  readonly #blockSamples: number;
  #power = 0;
  #count = 0;
  #input = 0;
  #output = 0;

  constructor(blockSamples: number) {
    this.#blockSamples = blockSamples;
  }

  /** Root mean square above 150 Hz of each block that is whole now, in dB of full scale. */
  push(waveform: Float32Array): number[] {
    const levelsDb: number[] = [];
    for (const sample of waveform) {
      this.#output = FEEDBACK * this.#output + sample - this.#input;
      this.#input = sample;
      this.#power += this.#output ** 2;
      this.#count += 1;
      if (this.#count === this.#blockSamples) levelsDb.push(...this.flush());
    }
    return levelsDb;
  }

  /** The level of what has come since the last whole block. */
  flush(): number[] {
    if (this.#count === 0) return [];
    const levelDb = Math.max(MIN_LEVEL_DB, 10 * Math.log10(this.#power / this.#count));
    this.#power = 0;
    this.#count = 0;
    return [levelDb];
  }
}
