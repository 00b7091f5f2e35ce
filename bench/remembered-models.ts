import { createHash } from 'node:crypto';
import type { SpeakerEmbeddingModel, SpeakerSegmentationModel } from '../pipeline/contracts.ts';

/** A segmentation that computes a window once, however often it is heard. */
export function rememberedSegmentation(model: SpeakerSegmentationModel): SpeakerSegmentationModel {
  const { windowSamples, stepSamples, framesPerWindow, frameSamples, firstFrameCentre } = model;
  const { localSpeakers, batchSize } = model;
  const memory = new RowMemory(windowSamples, async (windows, signal) => {
    const scores = await model.segment(windows, signal);
    const width = framesPerWindow * localSpeakers;
    return Array.from({ length: scores.length / width }, (_, row) =>
      scores.slice(row * width, (row + 1) * width),
    );
  });
  return {
    ...{ windowSamples, stepSamples, framesPerWindow, frameSamples, firstFrameCentre },
    ...{ localSpeakers, batchSize },
    segment: async (windows, signal) => {
      const rows = await memory.run(windows, signal);
      const scores = new Float32Array(rows.length * framesPerWindow * localSpeakers);
      for (const [row, values] of rows.entries()) scores.set(values, row * values.length);
      return scores;
    },
  };
}

/** A speaker encoder that computes an excerpt once. */
export function rememberedEmbedding(model: SpeakerEmbeddingModel): SpeakerEmbeddingModel {
  const { name, windowSamples, dimensions, sameSpeaker, knownSpeaker, batchSize } = model;
  const memory = new RowMemory(windowSamples, (excerpts, signal) => model.embed(excerpts, signal));
  return {
    ...{ name, windowSamples, dimensions, sameSpeaker, knownSpeaker, batchSize },
    embed: (excerpts, signal) => memory.run(excerpts, signal),
  };
}

type Compute = (
  batch: Float32Array<ArrayBuffer>,
  signal: AbortSignal,
) => Promise<readonly Float32Array[]>;

class RowMemory {
  readonly #rowSamples: number;
  readonly #compute: Compute;
  readonly #known = new Map<string, Float32Array>();

  constructor(rowSamples: number, compute: Compute) {
    this.#rowSamples = rowSamples;
    this.#compute = compute;
  }

  async run(batch: Float32Array, signal: AbortSignal): Promise<Float32Array[]> {
    const size = this.#rowSamples;
    const rows = Array.from({ length: batch.length / size }, (_, row) =>
      batch.slice(row * size, (row + 1) * size),
    );
    const keys = rows.map((row) => createHash('sha1').update(row).digest('hex'));
    const missing = [...keys.entries()].filter(([, key]) => !this.#known.has(key));
    if (missing.length > 0) {
      const unknown = new Float32Array(missing.length * size);
      for (const [at, [row]] of missing.entries()) unknown.set(rows[row]!, at * size);
      const computed = await this.#compute(unknown, signal);
      for (const [at, [, key]] of missing.entries()) this.#known.set(key, computed[at]!);
    }
    return keys.map((key) => this.#known.get(key)!.slice());
  }
}
