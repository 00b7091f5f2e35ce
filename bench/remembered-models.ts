import { createHash } from 'node:crypto';
import type { SpeakerEmbeddingModel, SpeakerSegmentationModel } from '../pipeline/contracts.ts';

/** Any number of runs over the same audio cost the networks of one. */
export function remembered<Model extends SpeakerSegmentationModel | SpeakerEmbeddingModel>(
  model: Model,
): Model {
  const known = new Map<string, Float32Array>();
  const rowSamples = 'windowSamples' in model ? model.windowSamples : model.excerptSamples;
  async function rows(
    batch: Float32Array<ArrayBuffer>,
    run: (missing: Float32Array<ArrayBuffer>) => Promise<readonly Float32Array[]>,
  ): Promise<Float32Array[]> {
    const all = Array.from({ length: batch.length / rowSamples }, (_, row) =>
      batch.slice(row * rowSamples, (row + 1) * rowSamples),
    );
    const keys = all.map((row) => createHash('sha1').update(row).digest('hex'));
    const missing = all.filter((_, row) => !known.has(keys[row]!));
    const missingKeys = keys.filter((key) => !known.has(key));
    if (missing.length > 0) {
      const input = new Float32Array(missing.length * rowSamples);
      for (const [row, samples] of missing.entries()) input.set(samples, row * rowSamples);
      for (const [row, output] of (await run(input)).entries())
        known.set(missingKeys[row]!, output);
    }
    return keys.map((key) => known.get(key)!.slice());
  }
  return new Proxy(model, {
    get(target, name) {
      if (name === 'segment') {
        return async (batch: Float32Array<ArrayBuffer>, signal: AbortSignal) => {
          const segmentation = target as SpeakerSegmentationModel;
          const found = await rows(batch, async (missing) => {
            const count = missing.length / rowSamples; // The buffer is gone after the run.
            const output = await segmentation.segment(missing, signal);
            const width = output.length / count;
            return Array.from({ length: count }, (_, row) =>
              output.slice(row * width, (row + 1) * width),
            );
          });
          const joined = new Float32Array(found.length * (found[0]?.length ?? 0));
          for (const [row, output] of found.entries()) joined.set(output, row * output.length);
          return joined;
        };
      }
      if (name === 'embed') {
        return (batch: Float32Array<ArrayBuffer>, signal: AbortSignal) =>
          rows(batch, (missing) => (target as SpeakerEmbeddingModel).embed(missing, signal));
      }
      const value = Reflect.get(target, name, target) as unknown;
      return value;
    },
  });
}
