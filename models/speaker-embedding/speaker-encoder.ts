import { join } from 'node:path';
import { secToSamples } from '../../audio/time.ts';
import type { SpeakerEmbeddingModel } from '../../pipeline/contracts.ts';
import type { InferenceEngine } from '../engine/engine.ts';
import { PaddedBatches } from '../padded-batches.ts';
import { EMBEDDING_DIMENSIONS } from './campplus-graph.ts';

const SESSION = 'speaker-embedding';
const FOLDER = join(import.meta.dirname, '../embedded/campplus');
const BATCH_SIZE = 16;

/** CAM++ behind its filter bank: samples in, unit vectors out. */
export class SpeakerEncoder implements SpeakerEmbeddingModel {
  readonly name = 'campplus';
  readonly batchSize = BATCH_SIZE;
  /** Three seconds: what the network was trained on. */
  readonly windowSamples = secToSamples(3);
  readonly dimensions = EMBEDDING_DIMENSIONS;
  readonly sameSpeaker = { distance: 0.4, scatter: 0.15, changePoint: 0.5 };
  readonly knownSpeaker = { distance: 0.45, margin: 0.1, minSamples: secToSamples(3) };
  readonly #engine: InferenceEngine;
  readonly #batches: PaddedBatches;

  private constructor(engine: InferenceEngine) {
    this.#engine = engine;
    this.#batches = PaddedBatches.on(engine, this.windowSamples, BATCH_SIZE);
  }

  /**
   * Loads the embedded network and runs one batch of silence, which warms it up.
   * @throws {SttError} MODEL_NOT_FOUND, MODEL_LOAD_FAILED, MODEL_INVALID, DEVICE_UNAVAILABLE.
   */
  static async load(engine: InferenceEngine): Promise<SpeakerEncoder> {
    const encoder = new SpeakerEncoder(engine);
    const windowSamples = encoder.windowSamples;
    await engine.load(SESSION, { kind: 'speaker-encoder', folder: FOLDER, windowSamples });
    await encoder.embed(new Float32Array(windowSamples), new AbortController().signal);
    return encoder;
  }

  async embed(
    windows: Float32Array<ArrayBuffer>,
    signal: AbortSignal,
  ): Promise<readonly Float32Array[]> {
    const values = await this.#batches.run(windows, (...batch) => this.#run(...batch), signal);
    const count = windows.length / this.windowSamples;
    return Array.from({ length: count }, (_, row) =>
      unitVector(values.slice(row * this.dimensions, (row + 1) * this.dimensions)),
    );
  }

  /** `[windows, dimensions]` */
  async #run(data: Float32Array<ArrayBuffer>, windows: number): Promise<Float32Array> {
    const waveform = { type: 'float32', data, dims: [windows, this.windowSamples] } as const;
    const { embedding } = await this.#engine.run(SESSION, { waveform });
    return embedding!.data as Float32Array;
  }
}

function unitVector(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
