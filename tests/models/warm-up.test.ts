import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { InferenceEngine } from '../../models/engine/engine.ts';
import type { TensorMap } from '../../models/engine/protocol.ts';
import { BYTES_PER_ELEMENT, readTensorTable } from '../../models/graph/safetensors.ts';
import { readWhisperCheckpoint, type WhisperCheckpoint } from '../../models/whisper/checkpoint.ts';
import { forcedFeeds } from '../../models/whisper/forced-feeds.ts';
import { everydayWindows, longestWindows } from '../../models/whisper/warm-up.ts';
import { WhisperRecognizer } from '../../models/whisper/whisper-recognizer.ts';
import { writeRandomCheckpoint } from '../../scripts/random-checkpoint.ts';
import { RANDOM_CHECKPOINTS } from '../fixtures/random-checkpoints.ts';

/** What is said is given to the decoder: a network of any width goes the same way. */
let folder: string;
let engine: InferenceEngine;
let checkpoint: WhisperCheckpoint;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stt-warm-up-'));
  await writeRandomCheckpoint(folder, RANDOM_CHECKPOINTS['an English one without the prefix']!);
  engine = new InferenceEngine({ device: 'cpu', threads: 0 }, () => {});
  checkpoint = await readWhisperCheckpoint(folder);
  await engine.load('w', { kind: 'whisper', folder, computeType: 'float32', batchSize: 4 });
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

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

test('a model whose weights are not numbers does not become ready', async () => {
  const damaged = await mkdtemp(join(tmpdir(), 'stt-nan-'));
  const sick = new InferenceEngine({ device: 'cpu', threads: 0 }, () => {});
  try {
    await writeRandomCheckpoint(damaged, RANDOM_CHECKPOINTS['an English one without the prefix']!);
    const options = { modelName: 'm', computeType: 'float32', batchSize: 2 } as const;
    const healthy = await WhisperRecognizer.load(sick, { ...options, folder: damaged });
    await healthy.warmUp();
    await poisonWeights(damaged);
    const other = new InferenceEngine({ device: 'cpu', threads: 0 }, () => {});
    try {
      const recognizer = await WhisperRecognizer.load(other, { ...options, folder: damaged });
      await expect(recognizer.warmUp()).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    } finally {
      await other.close();
    }
  } finally {
    await sick.close();
    await rm(damaged, { recursive: true });
  }
});

/** The last layer norm of the decoder, of which every logit is made. */
async function poisonWeights(of: string): Promise<void> {
  const tensors = await readTensorTable(of);
  const [, tensor] = [...tensors].find(([name]) => /decoder\.layer_norm\.weight$/.test(name))!;
  const handle = await open(tensor.file, 'r+');
  const bytes = BYTES_PER_ELEMENT[tensor.type];
  // All bits set is not a number in float32, float16 and bfloat16.
  await handle.write(Buffer.alloc(bytes, 0xff), 0, bytes, tensor.offsetBytes);
  await handle.close();
}
