import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Weights } from '../../models/graph/weights.ts';
import { readWhisperCheckpoint } from '../../models/whisper/checkpoint.ts';
import { encoder } from '../../models/whisper/encoder.ts';
import {
  attentionOf,
  type ForcedWindow,
  forcedAttentionGraph,
  forcedFeeds,
} from './forced-attention.ts';
import { goldenFeatures, MEL_FRAMES, RANDOM_MELS } from './golden-features.ts';
import { runGraph } from './run-graph.ts';
import { describeWithShared, largestDifference, sharedPath } from './shared-data.ts';

describeWithShared('attention of given texts', () => {
  test('both rows of a multilingual batch equal a float64 reference', async () => {
    const fixture = readFileSync(join(import.meta.dirname, '../fixtures/whisper-attention.json'));
    const golden = JSON.parse(fixture.toString()) as {
      phase: number;
      cases: (ForcedWindow & { positions: number[]; values: number[][]; meanSquare: number })[];
    };
    const checkpoint = await readWhisperCheckpoint(
      sharedPath('models/whisper-random-multilingual'),
    );
    const { startOfTranscript, transcribe, endOfText, languages, languagesStart } =
      checkpoint.tokens;
    const weights = new Weights(checkpoint.tensors, {
      computeType: 'float32',
      expandQuantized: () => false,
    });
    const dims = [2, RANDOM_MELS, MEL_FRAMES];
    const outputs = await runGraph(
      (graph) => {
        const features = graph.input('features', 'float32', ['batch', RANDOM_MELS, MEL_FRAMES]);
        forcedAttentionGraph(graph, weights, checkpoint, {
          audio: encoder(graph, weights, checkpoint, features),
          audioFrames: graph.input('audio_frames', 'int64', ['batch', 1, 1]),
          start: [startOfTranscript, languagesStart + languages.indexOf('ko'), transcribe],
        });
      },
      {
        ...forcedFeeds(golden.cases, endOfText),
        features: { type: 'float32', data: goldenFeatures(golden.phase), dims },
      },
    );
    for (const [row, expected] of golden.cases.entries()) {
      const output = outputs['attention_weights']!;
      const { weights: actual, frames } = attentionOf(output, row, expected, endOfText);
      expect(actual.length / frames).toBe(expected.values.length);
      const differences = expected.values.map((values, token) =>
        largestDifference(
          expected.positions.map((frame) => actual[token * frames + frame]!),
          values,
        ),
      );
      const meanSquare = actual.reduce((sum, x) => sum + x * x, 0) / actual.length;
      process.stderr.write(`attention row ${row}: ${Math.max(...differences)}\n`);
      expect(Math.max(...differences)).toBeLessThanOrEqual(1e-4);
      expect(meanSquare).toBeCloseTo(expected.meanSquare, 3);
    }
  });
});
