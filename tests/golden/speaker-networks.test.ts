import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { InferenceEngine } from '../../models/engine/engine.ts';
import type { OnnxGraph, Value } from '../../models/graph/onnx-graph.ts';
import { readTensorTable } from '../../models/graph/safetensors.ts';
import { Weights } from '../../models/graph/weights.ts';
import { PyannoteSegmentation } from '../../models/segmentation/pyannote-segmentation.ts';
import { speakerSetScores } from '../../models/segmentation/segmentation-graph.ts';
import { campplusGraph } from '../../models/speaker-embedding/campplus-graph.ts';
import { kaldiFbank } from '../../models/speaker-embedding/kaldi-fbank.ts';
import { SpeakerEncoder } from '../../models/speaker-embedding/speaker-encoder.ts';
import { type GraphOutput, rowOf, runGraph } from './run-graph.ts';
import { embeddedPath, largestDifference, sampleWaveform } from './shared-data.ts';

interface Golden {
  readonly start: number;
  readonly samples: number;
  readonly dims: readonly [number, number];
  readonly rows: Readonly<Record<string, readonly number[]>>;
}

/** What pyannote's and 3D-Speaker's code make of the sample: tests/fixtures/speaker_networks.py. */
const GOLDEN = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/speaker-networks.json'), 'utf8'),
) as {
  readonly segmentation: Golden & { readonly mean: number };
  readonly filterBank: Golden;
  readonly embedding: readonly number[];
};
const { segmentation, filterBank, embedding } = GOLDEN;

describe('the networks for speakers', () => {
  const engine = new InferenceEngine({ device: 'cpu', threads: 0 }, (error) => {
    throw error;
  });
  afterAll(() => engine.close());
  const { signal } = new AbortController();

  test('the segmentation gives pyannote’s log-probabilities, up to its weights’ float16', async () => {
    const weights = await weightsOf('pyannote-segmentation-3.0');
    const scores = await outputOf(segmentation, (graph, waveform) =>
      speakerSetScores({ graph, weights }, waveform),
    );
    expect(scores.dims).toEqual([1, ...segmentation.dims]);
    const values = scores.data as Float32Array;
    expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(
      segmentation.mean,
      2,
    );
    for (const [frame, expected] of Object.entries(segmentation.rows)) {
      expect(largestDifference(rowOf(scores, Number(frame)), expected), frame).toBeLessThan(0.01);
    }
  });

  test('a speaker speaks as likely as all sets with that speaker together, also in a batch', async () => {
    const model = await PyannoteSegmentation.load(engine);
    expect(model).toMatchObject({ framesPerWindow: 589, localSpeakers: 3, windowSamples: 160_000 });
    const batch = new Float32Array(2 * model.windowSamples);
    batch.set(windowOf(segmentation), model.windowSamples);
    const speaking = (await model.segment(batch, signal)).subarray(589 * 3);
    for (const [frame, scores] of Object.entries(segmentation.rows)) {
      const [, a, b, c, ab, ac, bc] = scores.map(Math.exp) as [number, ...number[]];
      const expected = [a! + ab! + ac!, b! + ab! + bc!, c! + ac! + bc!];
      const row = speaking.subarray(3 * Number(frame), 3 * Number(frame) + 3);
      expect(largestDifference(row, expected), frame).toBeLessThan(1e-3);
    }
  });

  test('the filter bank is Kaldi’s', async () => {
    const mels = await outputOf(filterBank, (graph, waveform) =>
      kaldiFbank(graph, waveform, filterBank.samples),
    );
    expect(mels.dims).toEqual([1, ...filterBank.dims]);
    for (const [frame, expected] of Object.entries(filterBank.rows)) {
      expect(largestDifference(rowOf(mels, Number(frame)), expected), frame).toBeLessThan(2e-3);
    }
  });

  test('CAM++ gives 3D-Speaker’s embedding, up to its weights’ float16', async () => {
    const weights = await weightsOf('campplus');
    const vector = await outputOf(filterBank, (graph, waveform) =>
      campplusGraph({ graph, weights }, waveform, filterBank.samples),
    );
    expect(vector.dims).toEqual([1, 192]);
    expect(largestDifference(rowOf(vector, 0), embedding)).toBeLessThan(0.01);

    const encoder = await SpeakerEncoder.load(engine);
    expect(encoder).toMatchObject({ name: 'campplus', dimensions: 192 });
    const batch = new Float32Array(2 * filterBank.samples);
    batch.set(windowOf(filterBank), filterBank.samples);
    const [, unit] = await encoder.embed(batch, signal);
    const length = Math.hypot(...embedding);
    const cosine = unit!.reduce((sum, value, i) => sum + (value * embedding[i]!) / length, 0);
    expect(cosine).toBeGreaterThan(1 - 1e-5);
    expect(Math.hypot(...unit!)).toBeCloseTo(1, 5);
  });
});

const windowOf = ({ start, samples }: Golden): Float32Array<ArrayBuffer> =>
  sampleWaveform().slice(start, start + samples);

async function weightsOf(folder: string): Promise<Weights> {
  const tensors = await readTensorTable(embeddedPath(folder));
  return new Weights(tensors, { computeType: 'float32', expandQuantized: () => true });
}

/** What a graph makes of a golden window. */
async function outputOf(
  golden: Golden,
  build: (graph: OnnxGraph, waveform: Value) => Value,
): Promise<GraphOutput> {
  const data = windowOf(golden);
  const { output } = await runGraph(
    (graph) => {
      const waveform = graph.input('waveform', 'float32', ['batch', golden.samples]);
      graph.output('output', build(graph, waveform), 'float32', ['batch', 'rows', 'columns']);
    },
    { waveform: { type: 'float32', data, dims: [1, golden.samples] } },
  );
  return output!;
}
