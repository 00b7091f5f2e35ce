import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { InferenceSession, Tensor } from '../../models/engine/onnxruntime.ts';
import type { TensorMap } from '../../models/engine/protocol.ts';
import { OnnxGraph } from '../../models/graph/onnx-graph.ts';
import { Weights } from '../../models/graph/weights.ts';
import { readWhisperCheckpoint, type WhisperCheckpoint } from '../../models/whisper/checkpoint.ts';
import { decodeFeeds } from '../../models/whisper/decode-feeds.ts';
import { decodedRows } from '../../models/whisper/decoded-rows.ts';
import { rowPrompt } from '../../models/whisper/row-prompt.ts';
import { tensorShapes } from '../../models/whisper/tensor-shapes.ts';
import { transcriptionGraph } from '../../models/whisper/transcription-graph.ts';
import { describeCheckpoint } from '../../scripts/describe-checkpoint.ts';
import { WHISPER_SHAPES } from '../../scripts/whisper-shapes.ts';
import { writeHollowSafetensors } from '../fakes/safetensors-files.ts';

/** Every network that was published: what is left out differs from one of these in its vocabulary only. */
const SIZES = [
  ...['tiny', 'tiny.en', 'base', 'small', 'medium', 'large-v3', 'large-v3-turbo'],
  ...['distil-small.en', 'distil-medium.en', 'distil-large-v3'],
];
/** These are run as well: a window and its first token. */
const SMALL = ['tiny', 'tiny.en'];
/** The graph of a beam search has the same weights; large-v3's alone takes seconds to load. */
const SEARCHED = ['tiny', 'large-v3-turbo'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stt-sizes-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A checkpoint of the right shapes whose weights are a hole in a file: zeros that take no room. */
async function hollowCheckpoint(name: string): Promise<WhisperCheckpoint> {
  const path = join(folder, name);
  const shape = WHISPER_SHAPES[name]!;
  await describeCheckpoint(path, { shape });
  await writeHollowSafetensors(join(path, 'model.safetensors'), tensorShapes(shape));
  return readWhisperCheckpoint(path);
}

/** As the engine builds it, but loaded without optimization: nothing is read of the weights. */
function load(checkpoint: WhisperCheckpoint, search: 'greedy' | 'beam'): Promise<InferenceSession> {
  const options = { computeType: 'float32', expandQuantized: () => false } as const;
  const graph = new OnnxGraph();
  transcriptionGraph(graph, new Weights(checkpoint.tensors, options), checkpoint, search);
  return InferenceSession.create(graph.toModel(), {
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 3,
    extra: {
      session: { model_external_initializers_file_folder_path: '/', disable_prepacking: '1' },
    },
  });
}

async function firstToken(session: InferenceSession, checkpoint: WhisperCheckpoint) {
  const request = {
    waveform: new Float32Array(16_000),
    task: 'transcribe',
    language: 'en',
    timestamps: true,
    temperature: 0,
    prompt: null,
  } as const;
  const feeds = {
    ...decodeFeeds(checkpoint, [request], [rowPrompt(checkpoint, request, [])]),
    token_limits: { type: 'int64', data: BigInt64Array.of(1n), dims: [1, 1] },
  } as TensorMap;
  const tensors = Object.entries(feeds).map(([name, { type, data, dims }]) => [
    name,
    new Tensor(type, data as never, dims),
  ]);
  const outputs = await session.run(Object.fromEntries(tensors));
  return decodedRows(outputs as unknown as TensorMap, checkpoint.tokens.endOfText)[0]!;
}

test.each(SIZES)('%s is built and loaded', async (name) => {
  const checkpoint = await hollowCheckpoint(name);
  const session = await load(checkpoint, 'greedy');
  expect(session.inputNames).toContain('waveform');
  if (SMALL.includes(name)) {
    // Without weights all scores are 0: the first timestamp is as likely as any, and it comes first.
    const { ids, logProbs } = await firstToken(session, checkpoint);
    expect(ids).toEqual([checkpoint.tokens.timestampsStart]);
    expect(logProbs[0]).toBeCloseTo(-Math.log(checkpoint.maxInitialTimestamp + 1), 4);
  }
  await session.release();
});

test.each(SEARCHED)('the beam search of %s is built and loaded', async (name) => {
  const session = await load(await hollowCheckpoint(name), 'beam');
  expect(session.inputNames).toContain('length_norms');
  await session.release();
});
