import { SAMPLE_RATE_HZ } from './time.ts';

/** Zero crossings of the kernel on each side. */
const ZERO_CROSSINGS = 16;
/** Of the lower Nyquist frequency; the rest is the filter's slope. */
const ROLL_OFF = 0.94;

/**
 * Brings audio of any rate to 16 kHz as it comes: a windowed sinc, by absolute position, so that the
 * result does not depend on how the audio was cut into pieces. Late by 16 samples of the slower rate.
 */
export class StreamResampler {
  readonly #step: number;
  readonly #scale: number;
  readonly #reach: number;
  readonly #phases: readonly Float32Array[];
  readonly #outputPeriod: number;
  /** Input samples from `#start` on. */
  #input = new Float32Array(0);
  #start = 0;
  #outputs = 0;

  /** @param rateHz of the input; an integer. */
  constructor(rateHz: number) {
    this.#step = rateHz / SAMPLE_RATE_HZ;
    this.#scale = ROLL_OFF * Math.min(1, 1 / this.#step);
    this.#reach = Math.ceil(ZERO_CROSSINGS / this.#scale);
    this.#outputPeriod = SAMPLE_RATE_HZ / greatestCommonDivisor(rateHz, SAMPLE_RATE_HZ);
    this.#phases = Array.from({ length: this.#outputPeriod }, (_, phase) =>
      this.#kernel((phase * this.#step) % 1),
    );
  }

  push(waveform: Float32Array): Float32Array<ArrayBuffer> {
    const input = new Float32Array(this.#input.length + waveform.length);
    input.set(this.#input);
    input.set(waveform, this.#input.length);
    const end = this.#start + input.length;
    const first = this.#outputs;
    const last = Math.ceil((end - this.#reach) / this.#step);
    const output = new Float32Array(Math.max(0, last - first));
    for (let index = 0; index < output.length; index++) {
      output[index] = this.#sampleAt(first + index, input);
    }
    this.#outputs += output.length;
    const needed = Math.floor(this.#outputs * this.#step) - this.#reach;
    const forgotten = Math.max(0, Math.min(input.length, needed - this.#start));
    this.#input = input.slice(forgotten);
    this.#start += forgotten;
    return output;
  }

  /** The rest, as if silence followed. */
  flush(): Float32Array<ArrayBuffer> {
    return this.push(new Float32Array(this.#reach));
  }

  #sampleAt(output: number, input: Float32Array): number {
    const kernel = this.#phases[output % this.#outputPeriod]!;
    const from = Math.floor(output * this.#step) - this.#reach + 1 - this.#start;
    let sum = 0;
    for (let tap = Math.max(0, -from); tap < kernel.length; tap++) {
      sum += kernel[tap]! * input[from + tap]!;
    }
    return sum;
  }

  /** Weights of the input samples around a place `fraction` behind one of them. */
  #kernel(fraction: number): Float32Array {
    return Float32Array.from({ length: 2 * this.#reach }, (_, tap) => {
      const distance = tap - this.#reach + 1 - fraction;
      const window = Math.cos((Math.PI * distance) / (2 * this.#reach)) ** 2;
      return Math.abs(distance) >= this.#reach
        ? 0
        : this.#scale * sinc(distance * this.#scale) * window;
    });
  }
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
