import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasIntegerDotProduct } from '../../models/engine/integer-dot-product.ts';
import { Weights } from '../../models/graph/weights.ts';
import { WHISPER_TINY_EN } from '../../models/load-models.ts';
import { byteMatrices } from '../../models/whisper/byte-matrices.ts';
import { readWhisperCheckpoint } from '../../models/whisper/checkpoint.ts';
import { encoder } from '../../models/whisper/encoder.ts';
import { GraphRunner } from './run-graph.ts';

const [MEL_BINS, FRAMES] = [80, 200];

/** The embedded encoder from a spectrogram, its matrices multiplied as on a processor with or without. */
async function load(withBytes: boolean): Promise<GraphRunner> {
  const checkpoint = await readWhisperCheckpoint(WHISPER_TINY_EN.folder);
  const weights = new Weights(checkpoint.tensors, {
    computeType: 'float32',
    expandQuantized: () => true,
    byteRange: byteMatrices(checkpoint, { hasIntegerDotProduct: withBytes }),
  });
  return GraphRunner.load((graph) => {
    const mel = graph.input('mel', 'float32', ['batch', MEL_BINS, FRAMES]);
    graph.output('encoded', encoder(graph, weights, checkpoint, mel), 'float32', [
      'batch',
      FRAMES / 2,
      checkpoint.dModel,
    ]);
  });
}

let floats: GraphRunner;
let bytes: GraphRunner;
beforeAll(async () => {
  [floats, bytes] = await Promise.all([load(false), load(true)]);
});
afterAll(() => Promise.all([floats.release(), bytes.release()]));

/** Something like speech: bands that come and go. */
const spectrogram = (bandFrames: number, level: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: MEL_BINS * FRAMES }, (_, i) => {
    const [bin, frame] = [Math.floor(i / FRAMES), i % FRAMES];
    return level * Math.sin(frame / bandFrames + bin / 5) * Math.cos(bin / 9);
  });

async function encoded(runner: GraphRunner, items: readonly Float32Array[]): Promise<number[]> {
  const data = Float32Array.from(items.flatMap((item) => [...item]));
  const dims = [items.length, MEL_BINS, FRAMES];
  const outputs = await runner.run({ mel: { type: 'float32', data, dims } });
  return Array.from(outputs['encoded']!.data, Number);
}

function relativeDifference(found: readonly number[], wanted: readonly number[]): number {
  const size = (all: readonly number[]) => Math.hypot(...all);
  return size(found.map((value, i) => value - wanted[i]!)) / size(wanted);
}

test.skipIf(!hasIntegerDotProduct())(
  'an encoder that multiplies bytes hears nearly what one in float32 does (skipped where the CPU has no dot product of bytes)',
  async () => {
    const item = spectrogram(7, 1);
    const difference = relativeDifference(
      await encoded(bytes, [item]),
      await encoded(floats, [item]),
    );
    expect(difference).toBeLessThan(0.05);
    expect(difference).toBeGreaterThan(1e-4);
  },
);

test('what an encoder of bytes hears in a window does not depend on the windows beside it', async () => {
  const item = spectrogram(7, 1);
  const alone = await encoded(bytes, [item]);
  const beside = await encoded(bytes, [spectrogram(3, 2), item, spectrogram(11, 0.01)]);
  const length = alone.length;
  expect(relativeDifference(beside.slice(length, 2 * length), alone)).toBeLessThan(1e-4);
});
