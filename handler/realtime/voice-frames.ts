import { LiveGain } from '../../audio/gain.ts';
import { secToSamples } from '../../audio/time.ts';
import type { VoiceActivityModel, VoiceActivityStream } from '../../pipeline/contracts.ts';
import type { SessionAudio } from './session-audio.ts';

/** What a network without memory of a session hears again before it goes on. */
export const WARM_UP_SAMPLES = secToSamples(2);

/** Speech probabilities, quiet speech raised, of a session whose audio comes in pieces of any size. */
export class VoiceFrames {
  readonly #stream: VoiceActivityStream;
  readonly #frameSamples: number;
  readonly #gain: LiveGain;
  /** Samples behind the last whole frame. */
  #carry = new Float32Array(0);

  constructor(model: VoiceActivityModel) {
    this.#stream = model.openStream();
    this.#frameSamples = model.windowSamples;
    this.#gain = new LiveGain(model.windowSamples);
  }

  get frameSamples(): number {
    return this.#frameSamples;
  }

  /** Hears again what came before `heard`, so that a session goes on as if it had not been cut. */
  async warmUp(audio: SessionAudio, heard: number, signal: AbortSignal): Promise<void> {
    const frames = Math.floor(Math.min(heard, WARM_UP_SAMPLES) / this.#frameSamples);
    if (frames === 0) return;
    const range = { start: heard - frames * this.#frameSamples, end: heard };
    await this.#stream.push(this.#gain.push(await audio.read(range)), signal);
  }

  /** One probability for each frame that is whole now. */
  async push(waveform: Float32Array, signal: AbortSignal): Promise<readonly number[]> {
    const all = new Float32Array(this.#carry.length + waveform.length);
    all.set(this.#carry);
    all.set(waveform, this.#carry.length);
    const whole = all.length - (all.length % this.#frameSamples);
    this.#carry = all.slice(whole);
    if (whole === 0) return [];
    return [...(await this.#stream.push(this.#gain.push(all.subarray(0, whole)), signal))];
  }

  /** The rest, followed by silence. */
  async flush(signal: AbortSignal): Promise<readonly number[]> {
    if (this.#carry.length === 0) return [];
    return await this.push(new Float32Array(this.#frameSamples - this.#carry.length), signal);
  }
}
