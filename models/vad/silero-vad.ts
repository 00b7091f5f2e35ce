import { join } from 'node:path';
import type { VoiceActivityModel, VoiceActivityStream } from '../../pipeline/contracts.ts';
import type { InferenceEngine } from '../engine/engine.ts';
import type { TensorMessage } from '../engine/protocol.ts';

const SESSION = 'vad';
const WINDOW_SAMPLES = 512;
/** Samples of the window before that the network sees in front of each window. */
const CONTEXT_SAMPLES = 64;
const STATE_SIZE = 128;

/**
 * Silero VAD v6 in its sequence form: all windows of a piece in one run, `input` float32
 * `[windows, 64 + 512]`, LSTM state `h`, `c` float32 `[1, 1, 128]` in and out. Always on the CPU:
 * the copies would cost more than the work.
 */
export class SileroVad implements VoiceActivityModel {
  readonly windowSamples = WINDOW_SAMPLES;
  readonly isIndependent: boolean;
  readonly #engine: InferenceEngine;

  private constructor(engine: InferenceEngine, isIndependent: boolean) {
    this.#engine = engine;
    this.isIndependent = isIndependent;
  }

  /**
   * @param isIndependent whether the engine is another than the recogniser's.
   * @throws {SttError} MODEL_LOAD_FAILED.
   */
  static async load(
    engine: InferenceEngine,
    folder: string,
    isIndependent = false,
  ): Promise<SileroVad> {
    const file = join(folder, 'silero_vad_16k_sequence.onnx');
    await engine.load(SESSION, { kind: 'silero-vad', file }, 'cpu');
    return new SileroVad(engine, isIndependent);
  }

  openStream(): VoiceActivityStream {
    const engine = this.#engine;
    const context = new Float32Array(CONTEXT_SAMPLES);
    let h = zeroState();
    let c = zeroState();
    return {
      async push(waveform, signal) {
        signal.throwIfAborted();
        const input = framesOf(waveform, context);
        // Copies travel: a run that fails keeps what it was given.
        const feeds = { input, h: copyOf(h), c: copyOf(c) };
        const outputs = await engine.run(SESSION, feeds);
        signal.throwIfAborted();
        if (waveform.length >= CONTEXT_SAMPLES) context.set(waveform.subarray(-CONTEXT_SAMPLES));
        h = { ...outputs['hn']!, dims: h.dims };
        c = { ...outputs['cn']!, dims: c.dims };
        return outputs['speech_probs']!.data as Float32Array; // [windows]
      },
    };
  }
}

/** `[windows, CONTEXT_SAMPLES + WINDOW_SAMPLES]`, each window with the samples before it. */
function framesOf(waveform: Float32Array, context: Float32Array): TensorMessage {
  const frameSamples = CONTEXT_SAMPLES + WINDOW_SAMPLES;
  const windows = Math.ceil(waveform.length / WINDOW_SAMPLES);
  const data = new Float32Array(windows * frameSamples);
  for (let window = 0; window < windows; window++) {
    const start = window * WINDOW_SAMPLES;
    const frame = window * frameSamples;
    const before = window === 0 ? context : waveform.subarray(start - CONTEXT_SAMPLES, start);
    data.set(before, frame);
    data.set(waveform.subarray(start, start + WINDOW_SAMPLES), frame + CONTEXT_SAMPLES);
  }
  return { type: 'float32', data, dims: [windows, frameSamples] };
}

const copyOf = (tensor: TensorMessage): TensorMessage => ({ ...tensor, data: tensor.data.slice() });

const zeroState = (): TensorMessage => ({
  type: 'float32',
  data: new Float32Array(STATE_SIZE),
  dims: [1, 1, STATE_SIZE],
});
