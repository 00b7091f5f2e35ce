import { expect, test } from 'vitest';
import { logMel } from '../../models/features/log-mel.ts';
import { runGraph } from './run-graph.ts';
import {
  describeWithShared,
  largestDifference,
  padded,
  readGolden,
  sampleWaveform,
} from './shared-data.ts';

type Frames = Record<string, number[]>;
interface LogMelGolden {
  readonly mels: Record<
    string,
    { frames: Frames; mean: number; first_48123_samples_padded_to_30s: Frames }
  >;
}

const WINDOW = 480_000;
const FRAMES = 3000;

describeWithShared('log-mel in the graph', () => {
  for (const melBins of [80, 128]) {
    test(`equals openai-whisper's with ${melBins} mels, each item of a batch for itself`, async () => {
      const golden = readGolden<LogMelGolden>('log-mel.json').mels[melBins]!;
      const sample = sampleWaveform();
      const batch = new Float32Array(2 * WINDOW);
      batch.set(padded(sample, WINDOW));
      batch.set(sample.subarray(0, 48_123), WINDOW);
      const { mel } = await runGraph(
        (graph) => {
          const waveform = graph.input('waveform', 'float32', ['batch', WINDOW]);
          graph.output('mel', logMel(graph, waveform, melBins), 'float32', [
            'batch',
            melBins,
            FRAMES,
          ]);
        },
        { waveform: { type: 'float32', data: batch, dims: [2, WINDOW] } },
      );
      expect(mel!.dims).toEqual([2, melBins, FRAMES]);
      const values = mel!.data as Float32Array;
      const frame = (item: number, index: number): number[] =>
        Array.from(
          { length: melBins },
          (_, bin) => values[(item * melBins + bin) * FRAMES + index]!,
        );
      const differences = [golden.frames, golden.first_48123_samples_padded_to_30s].flatMap(
        (frames, item) =>
          Object.entries(frames).map(([index, expected]) =>
            largestDifference(frame(item, Number(index)), expected),
          ),
      );
      const mean =
        values.subarray(0, melBins * FRAMES).reduce((sum, x) => sum + x, 0) / (melBins * FRAMES);
      process.stderr.write(`log-mel ${melBins}: largest difference ${Math.max(...differences)}\n`);
      expect(Math.max(...differences)).toBeLessThanOrEqual(2e-5);
      expect(mean).toBeCloseTo(golden.mean, 5);
    });
  }
});
