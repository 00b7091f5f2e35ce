import { afterAll, beforeAll, expect, test } from 'vitest';
import { InferenceEngine } from '../../models/engine/engine.ts';
import type { TensorMap } from '../../models/engine/protocol.ts';
import { EMBEDDED_WHISPER } from '../../models/load-models.ts';
import { readWhisperCheckpoint, type WhisperCheckpoint } from '../../models/whisper/checkpoint.ts';
import { forcedFeeds } from '../../models/whisper/forced-feeds.ts';
import { everydayWindows, longestWindows } from '../../models/whisper/warm-up.ts';

let engine: InferenceEngine;
let checkpoint: WhisperCheckpoint;
beforeAll(async () => {
  const { folder } = EMBEDDED_WHISPER;
  engine = new InferenceEngine({ device: 'cpu', threads: 0 }, () => {});
  checkpoint = await readWhisperCheckpoint(folder);
  await engine.load('w', { kind: 'whisper', folder, computeType: 'float32', batchSize: 4 });
});
afterAll(() => engine.close());

const sizes = (outputs: TensorMap): (readonly number[])[] =>
  [1, 2, 3].map((stage) => outputs[`tokens_${stage}`]!.dims);

test('what warms a GPU up goes through all stages, masks, samples and the attention of its words', async () => {
  const windows = everydayWindows(4);
  const feeds = forcedFeeds(checkpoint, windows, { attention: true });
  expect(feeds['any_padding']!.data).toEqual(Uint8Array.of(1));
  expect(feeds['any_sampling']!.data).toEqual(Uint8Array.of(1));
  const outputs = await engine.run('w', feeds);
  // Steps beside the first token, and rows, of each stage.
  expect(sizes(outputs)).toEqual([
    [7, 4],
    [8, 2],
    [16, 1],
  ]);
  expect(outputs['attention_weights']!.dims.slice(0, 2)).toEqual([4, 33]);
});

test('the longest batch is what fills the tables: every token that the decoder has a place for', () => {
  const limits = forcedFeeds(checkpoint, longestWindows(checkpoint, 4))['token_limits']!.data;
  expect([...limits].map(Number)).toEqual([168, 168, 196, 224]);
});
