import { describe, expect, test } from 'vitest';
import { Weights } from '../../models/graph/weights.ts';
import { readWav2Vec2Checkpoint } from '../../models/wav2vec2/checkpoint.ts';
import { type CtcGraphOptions, ctcGraph } from '../../models/wav2vec2/ctc-graph.ts';
import { runGraph } from './run-graph.ts';
import { describeWithShared, readGolden, sharedPath } from './shared-data.ts';

interface Golden {
  readonly rows: Record<string, number[]>;
  readonly masked_item1_first_9000_samples: Record<string, number[]>;
}

const SAMPLES = 16_000;
const waveforms = Float32Array.from(
  { length: 2 * SAMPLES },
  (_, i) => 0.3 * Math.sin(0.01 * i) + 0.05 * Math.cos(0.37 * i),
);

/** Emissions of rows of `SAMPLES`, `[frames, 32]` each. */
async function emissionsOf(
  model: string,
  lengths: readonly number[],
  { waveform = waveforms, ...options }: CtcGraphOptions & { waveform?: Float32Array } = {},
) {
  const checkpoint = await readWav2Vec2Checkpoint(sharedPath('models', model));
  const weights = new Weights(checkpoint.tensors, {
    computeType: 'float32',
    expandQuantized: () => true,
  });
  const rows = lengths.length;
  const { emissions } = await runGraph((graph) => ctcGraph(graph, weights, checkpoint, options), {
    waveform: { type: 'float32', data: waveform.slice(), dims: [rows, waveform.length / rows] },
    lengths: { type: 'int64', data: BigInt64Array.from(lengths, BigInt), dims: [rows] },
  });
  const [, frames = 0, vocabulary = 0] = emissions!.dims;
  const row = (item: number, frame: number): Float32Array =>
    (emissions!.data as Float32Array).slice(
      (item * frames + frame) * vocabulary,
      (item * frames + frame + 1) * vocabulary,
    );
  return { frames, row };
}

const silentFrom = (sample: number): Float32Array => waveforms.slice().fill(0, sample);

function logSoftmax(logits: readonly number[]): number[] {
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  return logits.map((logit) => logit - total);
}

const difference = (actual: Float32Array, logits: readonly number[]): number =>
  Math.max(...logSoftmax(logits).map((value, i) => Math.abs(value - actual[i]!)));

describeWithShared('wav2vec2', () => {
  describe.each(['wav2vec2-random-base', 'wav2vec2-random-large'])('%s', (model) => {
    const golden = () => readGolden<Golden>(`${model}.json`);

    test('gives the logits of transformers for a whole batch', async () => {
      const { frames, row } = await emissionsOf(model, [SAMPLES, SAMPLES]);
      expect(frames).toBe(49);
      let largest = 0;
      for (const [place, logits] of Object.entries(golden().rows)) {
        const [item = 0, frame = 0] = place.split(',').map(Number);
        largest = Math.max(largest, difference(row(item, frame), logits));
      }
      process.stderr.write(`${model}: ${largest}\n`);
      expect(largest).toBeLessThanOrEqual(1e-3);
    });

    test('gives those of transformers where a row is masked from sample 9,000 on', async () => {
      const options = { waveform: silentFrom(SAMPLES + 9000), groupNormOver: 'whole' } as const;
      const { row } = await emissionsOf(model, [SAMPLES, 9000], options);
      let largest = 0;
      for (const [frame, logits] of Object.entries(golden().masked_item1_first_9000_samples)) {
        largest = Math.max(largest, difference(row(1, Number(frame)), logits));
      }
      process.stderr.write(`${model}, masked: ${largest}\n`);
      expect(largest).toBeLessThanOrEqual(1e-3);
    });

    test('hears a short row in a batch as it hears it alone', async () => {
      const short = waveforms.slice(SAMPLES, SAMPLES + 9000);
      const alone = await emissionsOf(model, [9000], { waveform: short });
      const padded = { waveform: silentFrom(SAMPLES + 9000) };
      const batch = await emissionsOf(model, [SAMPLES, 9000], padded);
      for (let frame = 0; frame < alone.frames; frame++) {
        const [one, other] = [alone.row(0, frame), batch.row(1, frame)];
        expect(Math.max(...one.map((value, i) => Math.abs(value - other[i]!)))).toBeLessThan(1e-4);
      }
    });
  });
});
