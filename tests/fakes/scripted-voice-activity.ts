import type { SampleRange } from '../../audio/time.ts';
import type { VoiceActivityModel, VoiceActivityStream } from '../../pipeline/contracts.ts';

const VAD_WINDOW_SAMPLES = 512;

/** Hears speech exactly where the script says: in every window that begins inside a range. */
export class ScriptedVoiceActivity implements VoiceActivityModel {
  readonly windowSamples = VAD_WINDOW_SAMPLES;
  isIndependent = false;
  readonly #speech: readonly SampleRange[];
  /** Lengths of the pieces that were pushed, over all streams. */
  readonly pushedSamples: number[] = [];
  /** Awaited in every push; replace it to hold or fail the model. */
  beforePush: (signal: AbortSignal) => Promise<void> = async () => {};

  constructor(speech: readonly SampleRange[]) {
    this.#speech = speech;
  }

  openStream(): VoiceActivityStream {
    let position = 0;
    return {
      push: async (waveform, signal) => {
        await this.beforePush(signal);
        signal.throwIfAborted();
        this.pushedSamples.push(waveform.length);
        const windowCount = Math.ceil(waveform.length / VAD_WINDOW_SAMPLES);
        const probabilities = Float32Array.from({ length: windowCount }, (_, window) =>
          this.#isSpeech(position + window * VAD_WINDOW_SAMPLES) ? 1 : 0,
        );
        position += windowCount * VAD_WINDOW_SAMPLES;
        return probabilities;
      },
    };
  }

  #isSpeech(sample: number): boolean {
    return this.#speech.some(({ start, end }) => sample >= start && sample < end);
  }
}
