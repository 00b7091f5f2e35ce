import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { TensorMap } from '../../models/engine/protocol.ts';
import type { OnnxGraph, Value } from '../../models/graph/onnx-graph.ts';
import { Weights } from '../../models/graph/weights.ts';
import { attentionGraph } from '../../models/whisper/attention-graph.ts';
import { readWhisperCheckpoint, type WhisperCheckpoint } from '../../models/whisper/checkpoint.ts';
import { decodeFeeds } from '../../models/whisper/decode-feeds.ts';
import { decodeGraph } from '../../models/whisper/decode-graph.ts';
import { decodedRows } from '../../models/whisper/decoded-rows.ts';
import { encoder } from '../../models/whisper/encoder.ts';
import { rowPrompt } from '../../models/whisper/row-prompt.ts';
import {
  attentionOf,
  type ForcedWindow,
  forcedAttentionGraph,
  forcedFeeds,
} from './forced-attention.ts';
import { goldenFeatures, MEL_FRAMES, RANDOM_MELS } from './golden-features.ts';
import { runGraph } from './run-graph.ts';
import { describeWithShared, largestDifference, sharedPath } from './shared-data.ts';

interface AttentionGolden {
  readonly phase: number;
  /** Attention of each position's row at some frames. */
  readonly cases: readonly (Omit<ForcedWindow, 'start'> & {
    readonly positions: readonly number[];
    readonly values: readonly (readonly number[])[];
    readonly meanSquare: number;
  })[];
}

describeWithShared('attention of a multilingual checkpoint with random weights', () => {
  let checkpoint: WhisperCheckpoint;
  let weights: Weights;
  let golden: AttentionGolden;

  beforeAll(async () => {
    checkpoint = await readWhisperCheckpoint(sharedPath('models/whisper-random-multilingual'));
    weights = new Weights(checkpoint.tensors, {
      computeType: 'float32',
      expandQuantized: () => false,
    });
    const fixture = join(import.meta.dirname, '../fixtures/whisper-attention.json');
    golden = JSON.parse(readFileSync(fixture, 'utf8')) as AttentionGolden;
  });

  /** Runs what `build` makes of the encoder's output for the golden features. */
  const run = (feeds: TensorMap, build: (graph: OnnxGraph, audio: Value) => void) =>
    runGraph(
      (graph) => {
        const features = graph.input('features', 'float32', ['batch', RANDOM_MELS, MEL_FRAMES]);
        build(graph, encoder(graph, weights, checkpoint, features));
      },
      {
        ...feeds,
        features: {
          type: 'float32',
          data: goldenFeatures(golden.phase),
          dims: [2, RANDOM_MELS, MEL_FRAMES],
        },
      },
    );
  const forced = async (windows: readonly ForcedWindow[]) => {
    const feeds = forcedFeeds(windows, checkpoint.tokens.endOfText);
    const outputs = await run(feeds, (graph, audio) =>
      forcedAttentionGraph(graph, weights, checkpoint, audio),
    );
    return outputs['attention_weights']!;
  };

  test('both rows of a batch, unequal in text and audio, equal a float64 reference', async () => {
    const { startOfTranscript, transcribe, endOfText, languages, languagesStart } =
      checkpoint.tokens;
    const start = [startOfTranscript, languagesStart + languages.indexOf('ko'), transcribe];
    const output = await forced(golden.cases.map((window) => ({ ...window, start })));
    for (const [row, expected] of golden.cases.entries()) {
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
      expect(meanSquare).toBeCloseTo(expected.meanSquare, 4);
    }
  });

  test('after a decode it reads what was decoded, in the language that was heard', async () => {
    const { tokens } = checkpoint;
    const request = {
      waveform: new Float32Array(0),
      task: 'transcribe',
      language: null,
      timestamps: true,
      temperature: 0,
      prompt: null,
      attention: true,
    } as const;
    const prompt = rowPrompt(checkpoint, request, [1, 2, 3]);
    const outputs = await run(
      {
        ...decodeFeeds(checkpoint, [request, request], [prompt, prompt]),
        audio_frames: { type: 'int64', data: BigInt64Array.of(3000n, 900n), dims: [2, 1, 1] },
        max_tokens: { type: 'int64', data: BigInt64Array.of(15n), dims: [] },
        token_limits: { type: 'int64', data: BigInt64Array.of(15n, 15n), dims: [2, 1] },
      },
      (graph, audio) => {
        const decoded = decodeGraph(graph, weights, checkpoint, audio);
        const audioFrames = graph.input('audio_frames', 'int64', ['batch', 1, 1]);
        attentionGraph(graph, weights, checkpoint, { ...decoded, audioFrames });
      },
    );
    const languages = [...outputs['language_probs']!.data].map(Number);
    const windows = decodedRows(outputs as unknown as TensorMap, tokens.endOfText).map(
      ({ ids }, row) => {
        const heard = languages
          .slice(row * tokens.languages.length)
          .slice(0, tokens.languages.length);
        const language = tokens.languagesStart + heard.indexOf(Math.max(...heard));
        const start = [tokens.startOfTranscript, language, tokens.transcribe];
        return { start, tokens: ids, audioFrames: [3000, 900][row]! };
      },
    );
    expect(windows[0]!.start).not.toEqual(windows[1]!.start);
    const expected = await forced(windows);
    const actual = outputs['attention_weights']!;
    expect(actual.dims).toEqual(expected.dims);
    expect(
      largestDifference(actual.data as Float32Array, [...expected.data].map(Number)),
    ).toBeLessThanOrEqual(1e-4);
  });
  test('windows without text or without audio have the row of their end', async () => {
    const { startOfTranscript, languagesStart, transcribe, timestampsStart } = checkpoint.tokens;
    const start = [startOfTranscript, languagesStart, transcribe];
    const window = { start, tokens: [timestampsStart], audioFrames: 3 };
    const { data, dims } = await forced([window, { ...window, audioFrames: 0 }]);
    expect(dims).toEqual([2, 1, 1500]);
    expect((data as Float32Array).every(Number.isFinite)).toBe(true);
  });
});
