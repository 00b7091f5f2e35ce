import { SttError } from '../../core/errors.ts';
import type { SpeakerSegmentationModel } from '../../pipeline/contracts.ts';
import type { InferenceEngine } from '../engine/engine.ts';
import { onnxFileIn } from '../onnx-file.ts';
import { PaddedBatches } from '../padded-batches.ts';
import { type NetworkShape, readNetworkShape } from './network-shape.ts';

const SESSION = 'speaker-segmentation';

/** SincNet's geometry: a frame every 10 · 3 · 3 · 3 samples, each seeing 991 of them. */
const FRAME_SAMPLES = 270;
const RECEPTIVE_FIELD_SAMPLES = 991;

/** Overlap is cheap on a GPU and makes speakers easier to follow; on a CPU it costs as Whisper does. */
const WINDOW_STEP = { cuda: 0.1, cpu: 0.5 } as const;
const BATCH_SIZE = { cuda: 32, cpu: 16 } as const;

/**
 * pyannote's speaker segmentation: who of up to three people speaks in each frame of a short window.
 * Runs both kinds: multi-label (5 s, independent probabilities) and powerset (10 s, one class for
 * each set of up to two people), whose classes are added up to a probability for each person.
 */
export class PyannoteSegmentation implements SpeakerSegmentationModel {
  readonly windowSamples: number;
  readonly stepSamples: number;
  readonly frameSamples = FRAME_SAMPLES;
  readonly firstFrameCentre = Math.floor(RECEPTIVE_FIELD_SAMPLES / 2);
  readonly framesPerWindow: number;
  readonly localSpeakers: number;
  readonly batchSize: number;
  readonly #engine: InferenceEngine;
  readonly #shape: NetworkShape;
  readonly #batches: PaddedBatches;

  private constructor(engine: InferenceEngine, shape: NetworkShape) {
    this.#engine = engine;
    this.#shape = shape;
    this.windowSamples = shape.windowSamples;
    this.stepSamples =
      Math.round((WINDOW_STEP[engine.device] * this.windowSamples) / FRAME_SAMPLES) * FRAME_SAMPLES;
    this.framesPerWindow =
      Math.floor((this.windowSamples - RECEPTIVE_FIELD_SAMPLES) / FRAME_SAMPLES) + 1;
    this.localSpeakers = 1 + Math.max(...shape.classes.flat());
    this.batchSize = BATCH_SIZE[engine.device];
    this.#batches = PaddedBatches.on(engine, this.windowSamples, this.batchSize);
  }

  /**
   * Loads the network and lets it hear one batch of silence, which warms it up.
   * @throws {SttError} MODEL_LOAD_FAILED, MODEL_INVALID, DEVICE_UNAVAILABLE.
   */
  static async load(engine: InferenceEngine, folder: string): Promise<PyannoteSegmentation> {
    const file = onnxFileIn(folder);
    const shape = await readNetworkShape(file);
    await engine.load(SESSION, { kind: 'onnx', file });
    const model = new PyannoteSegmentation(engine, shape);
    await model.segment(new Float32Array(model.windowSamples), new AbortController().signal);
    return model;
  }

  async segment(waveforms: Float32Array<ArrayBuffer>, signal: AbortSignal): Promise<Float32Array> {
    const { kind, classes } = this.#shape;
    const windows = waveforms.length / this.windowSamples;
    const scores = await this.#batches.run(waveforms, (...batch) => this.#run(...batch), signal);
    if (scores.length !== windows * this.framesPerWindow * classes.length) {
      throw new SttError(
        'MODEL_INVALID',
        'The speaker segmentation has other frames than expected',
      );
    }
    return kind === 'powerset' ? speakerProbabilities(scores, classes) : scores;
  }

  /** `[windows, frames, classes]` */
  async #run(data: Float32Array<ArrayBuffer>, windows: number): Promise<Float32Array> {
    const { input, output } = this.#shape;
    const dims = [windows, 1, this.windowSamples];
    const outputs = await this.#engine.run(SESSION, { [input]: { type: 'float32', data, dims } });
    return outputs[output]!.data as Float32Array;
  }
}

/**
 * `[frames, classes]` log-probabilities (or logits: they are normalised) →
 * `[frames, speakers]`, each the sum over the classes that hold the speaker.
 */
export function speakerProbabilities(
  scores: Float32Array,
  classes: readonly (readonly number[])[],
): Float32Array {
  const speakers = 1 + Math.max(...classes.flat());
  const frames = scores.length / classes.length;
  const probabilities = new Float32Array(frames * speakers);
  const weights = new Float64Array(classes.length);
  for (let frame = 0; frame < frames; frame++) {
    const at = frame * classes.length;
    let highest = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < weights.length; index++) {
      highest = Math.max(highest, scores[at + index]!);
    }
    let total = 0;
    for (let index = 0; index < weights.length; index++) {
      weights[index] = Math.exp(scores[at + index]! - highest);
      total += weights[index]!;
    }
    for (let index = 0; index < weights.length; index++) {
      const share = weights[index]! / total;
      for (const speaker of classes[index]!) probabilities[frame * speakers + speaker]! += share;
    }
  }
  return probabilities;
}
