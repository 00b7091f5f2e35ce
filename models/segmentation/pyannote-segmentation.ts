import { join } from 'node:path';
import { SttError } from '../../core/errors.ts';
import type { SpeakerSegmentationModel } from '../../pipeline/contracts.ts';
import type { InferenceEngine } from '../engine/engine.ts';
import { PaddedBatches } from '../padded-batches.ts';
import { LOCAL_SPEAKERS } from './segmentation-graph.ts';

const SESSION = 'speaker-segmentation';
const FOLDER = join(import.meta.dirname, '../embedded/pyannote-segmentation-3.0');

/** Ten seconds: what the network was trained on. */
const WINDOW_SAMPLES = 160_000;
/** SincNet's geometry: a frame every 10 · 3 · 3 · 3 samples, each seeing 991 of them. */
const FRAME_SAMPLES = 270;
const RECEPTIVE_FIELD_SAMPLES = 991;

/** Overlap is cheap on a GPU and makes speakers easier to follow; on a CPU it costs as Whisper does. */
const WINDOW_STEP = { cuda: 0.1, cpu: 0.25 } as const;
const BATCH_SIZE = { cuda: 32, cpu: 8 } as const;

/**
 * pyannote's segmentation-3.0: who of up to three speakers speaks in each frame of ten seconds, at
 * most two at once. A speaker's probability is the sum over the sets that hold the speaker.
 */
export class PyannoteSegmentation implements SpeakerSegmentationModel {
  readonly windowSamples = WINDOW_SAMPLES;
  readonly stepSamples: number;
  readonly frameSamples = FRAME_SAMPLES;
  readonly firstFrameCentre = Math.floor(RECEPTIVE_FIELD_SAMPLES / 2);
  readonly framesPerWindow =
    Math.floor((WINDOW_SAMPLES - RECEPTIVE_FIELD_SAMPLES) / FRAME_SAMPLES) + 1;
  readonly localSpeakers = LOCAL_SPEAKERS;
  readonly batchSize: number;
  readonly #engine: InferenceEngine;
  readonly #batches: PaddedBatches;

  private constructor(engine: InferenceEngine) {
    this.#engine = engine;
    this.stepSamples =
      Math.round((WINDOW_STEP[engine.device] * WINDOW_SAMPLES) / FRAME_SAMPLES) * FRAME_SAMPLES;
    this.batchSize = BATCH_SIZE[engine.device];
    this.#batches = PaddedBatches.on(engine, WINDOW_SAMPLES, this.batchSize);
  }

  /**
   * Loads the embedded network and runs one batch of silence, which warms it up.
   * @throws {SttError} MODEL_NOT_FOUND, MODEL_LOAD_FAILED, MODEL_INVALID, DEVICE_UNAVAILABLE.
   */
  static async load(engine: InferenceEngine): Promise<PyannoteSegmentation> {
    const source = { kind: 'speaker-segmentation', folder: FOLDER } as const;
    await engine.load(SESSION, { ...source, windowSamples: WINDOW_SAMPLES });
    const model = new PyannoteSegmentation(engine);
    await model.segment(new Float32Array(WINDOW_SAMPLES), new AbortController().signal);
    return model;
  }

  async segment(waveforms: Float32Array<ArrayBuffer>, signal: AbortSignal): Promise<Float32Array> {
    const windows = waveforms.length / WINDOW_SAMPLES;
    const speaking = await this.#batches.run(waveforms, (...batch) => this.#run(...batch), signal);
    if (speaking.length !== windows * this.framesPerWindow * LOCAL_SPEAKERS) {
      throw new SttError('MODEL_INVALID', 'The speaker segmentation has unexpected frames');
    }
    return speaking;
  }

  /** `[windows, frames, speakers]` */
  async #run(data: Float32Array<ArrayBuffer>, windows: number): Promise<Float32Array> {
    const waveform = { type: 'float32', data, dims: [windows, WINDOW_SAMPLES] } as const;
    const { speaking } = await this.#engine.run(SESSION, { waveform });
    return speaking!.data as Float32Array;
  }
}
