import type { SpeakerEmbeddingModel } from '../../pipeline/contracts.ts';
import type { InferenceEngine } from '../engine/engine.ts';
import { onnxFileIn } from '../onnx-file.ts';
import { PaddedBatches } from '../padded-batches.ts';
import { type EncoderKind, encoderKindOf } from './encoder-kinds.ts';

/** A model's folder, and what its vectors are called. */
export interface NamedFolder {
  readonly name: string;
  readonly folder: string;
}

const SESSION = 'speaker-embedding';
const BATCH_SIZE = 16;

/** A speaker encoder with its front end in the graph: samples in, unit vectors out. */
export class SpeakerEncoder implements SpeakerEmbeddingModel {
  readonly name: string;
  readonly batchSize = BATCH_SIZE;
  readonly excerptSamples: number;
  readonly dimensions: number;
  readonly sameSpeaker: SpeakerEmbeddingModel['sameSpeaker'];
  readonly knownSpeaker: SpeakerEmbeddingModel['knownSpeaker'];
  readonly #engine: InferenceEngine;
  readonly #batches: PaddedBatches;

  private constructor(
    engine: InferenceEngine,
    kind: EncoderKind,
    { name, dimensions }: Pick<SpeakerEmbeddingModel, 'name' | 'dimensions'>,
  ) {
    this.#engine = engine;
    this.#batches = PaddedBatches.on(engine, kind.excerptSamples, BATCH_SIZE);
    this.name = name;
    this.dimensions = dimensions;
    this.excerptSamples = kind.excerptSamples;
    this.sameSpeaker = kind.sameSpeaker;
    this.knownSpeaker = kind.knownSpeaker;
  }

  /**
   * Loads the network and lets it hear one batch of silence, which warms it up and tells how many
   * numbers a vector has.
   * @throws {SttError} MODEL_NOT_FOUND, MODEL_LOAD_FAILED, MODEL_INVALID, DEVICE_UNAVAILABLE.
   */
  static async load(
    engine: InferenceEngine,
    { name, folder }: NamedFolder,
  ): Promise<SpeakerEncoder> {
    const file = onnxFileIn(folder);
    const kind = await encoderKindOf(file);
    const { frontEnd, excerptSamples } = kind;
    await engine.load(SESSION, { kind: 'speaker-encoder', file, frontEnd, excerptSamples });
    const silence = new SpeakerEncoder(engine, kind, { name, dimensions: 0 });
    const [vector] = await silence.embed(
      new Float32Array(excerptSamples),
      new AbortController().signal,
    );
    return new SpeakerEncoder(engine, kind, { name, dimensions: vector!.length });
  }

  async embed(
    excerpts: Float32Array<ArrayBuffer>,
    signal: AbortSignal,
  ): Promise<readonly Float32Array[]> {
    const count = excerpts.length / this.excerptSamples;
    const values = await this.#batches.run(excerpts, (...batch) => this.#run(...batch), signal);
    const dimensions = values.length / count;
    return Array.from({ length: count }, (_, excerpt) =>
      unitVector(values.slice(excerpt * dimensions, (excerpt + 1) * dimensions)),
    );
  }

  /** `[excerpts, dimensions]` */
  async #run(data: Float32Array<ArrayBuffer>, excerpts: number): Promise<Float32Array> {
    const waveform = { type: 'float32', data, dims: [excerpts, this.excerptSamples] } as const;
    const { embedding } = await this.#engine.run(SESSION, { waveform });
    return embedding!.data as Float32Array;
  }
}

function unitVector(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
