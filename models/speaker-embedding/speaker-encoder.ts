import { join } from 'node:path';
import type { SpeakerEmbeddingModel } from '../../pipeline/contracts.ts';
import type { InferenceEngine } from '../engine/engine.ts';
import type { SpeakerFrontEnd } from './front-end.ts';

interface EncoderKind {
  readonly frontEnd: SpeakerFrontEnd;
  /** Where a model of this kind lies in its folder. */
  readonly file: string;
  readonly excerptSamples: number;
  readonly dimensions: number;
  readonly sameSpeaker: SpeakerEmbeddingModel['sameSpeaker'];
}

/** GE2E (Wan et al. 2018, Resemblyzer's weights): trained on 160 frames of 10 ms. */
export const GE2E: EncoderKind = {
  frontEnd: 'ge2e',
  file: 'model.onnx',
  excerptSamples: 25_600,
  dimensions: 256,
  sameSpeaker: { voice: 0.1, excerpt: 0.225, change: 0.25 },
};

/**
 * WeSpeaker's ResNet34-LM. Its centroids count as one speaker up to a Euclidean distance of 0.7046 in
 * pyannote 3.1; on unit vectors that is the cosine distance 0.7046² / 2.
 */
export const WESPEAKER: EncoderKind = {
  frontEnd: 'kaldi-fbank',
  file: 'onnx/model.onnx',
  excerptSamples: 48_000,
  dimensions: 256,
  sameSpeaker: { voice: 0.248, excerpt: 0, change: 1 },
};

const SESSION = 'speaker-embedding';
const BATCH_SIZE = 16;

/** A speaker encoder with its front end in the graph: samples in, unit vectors out. */
export class SpeakerEncoder implements SpeakerEmbeddingModel {
  readonly batchSize = BATCH_SIZE;
  readonly excerptSamples: number;
  readonly dimensions: number;
  readonly sameSpeaker: SpeakerEmbeddingModel['sameSpeaker'];
  readonly #engine: InferenceEngine;

  private constructor(engine: InferenceEngine, kind: EncoderKind) {
    this.#engine = engine;
    this.excerptSamples = kind.excerptSamples;
    this.dimensions = kind.dimensions;
    this.sameSpeaker = kind.sameSpeaker;
  }

  /** @throws {SttError} MODEL_LOAD_FAILED, DEVICE_UNAVAILABLE. */
  static async load(
    engine: InferenceEngine,
    folder: string,
    kind: EncoderKind,
  ): Promise<SpeakerEncoder> {
    const { frontEnd, excerptSamples } = kind;
    const file = join(folder, kind.file);
    await engine.load(SESSION, { kind: 'speaker-encoder', file, frontEnd, excerptSamples });
    return new SpeakerEncoder(engine, kind);
  }

  async embed(
    excerpts: Float32Array<ArrayBuffer>,
    signal: AbortSignal,
  ): Promise<readonly Float32Array[]> {
    signal.throwIfAborted();
    const dims = [excerpts.length / this.excerptSamples, this.excerptSamples];
    const waveform = { type: 'float32', data: excerpts, dims } as const;
    const { embedding } = await this.#engine.run(SESSION, { waveform });
    signal.throwIfAborted();
    const values = embedding!.data as Float32Array; // [excerpts, dimensions]
    const dimensions = values.length / dims[0]!;
    return Array.from({ length: dims[0]! }, (_, excerpt) =>
      unitVector(values.slice(excerpt * dimensions, (excerpt + 1) * dimensions)),
    );
  }
}

function unitVector(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
