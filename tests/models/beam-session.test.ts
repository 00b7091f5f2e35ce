import { afterEach, expect, test } from 'vitest';
import { InferenceEngine } from '../../models/engine/engine.ts';
import { loadFailure } from '../../models/engine/onnx-session.ts';
import type { TensorMap } from '../../models/engine/protocol.ts';
import { BeamSession } from '../../models/whisper/beam-session.ts';
import { embeddedPath } from '../golden/shared-data.ts';

/** Voice activity in the place of a beam search: it is small, and loads in the same way. */
const source = (name = 'silero_vad_16k_sequence.onnx') =>
  ({ kind: 'onnx', file: embeddedPath('silero-vad', name) }) as const;
const feeds = (): TensorMap => ({
  input: { type: 'float32', data: new Float32Array(576), dims: [1, 576] },
  h: { type: 'float32', data: new Float32Array(128), dims: [1, 1, 128] },
  c: { type: 'float32', data: new Float32Array(128), dims: [1, 1, 128] },
});
const { signal } = new AbortController();
const engines: InferenceEngine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

function session(name?: string, idleMs?: number) {
  const loads: string[] = [];
  const main = new InferenceEngine({ device: 'cpu', threads: 1 }, () => {}, {
    onLoad: (loaded) => loads.push(loaded),
  });
  engines.push(main);
  return { loads, beams: new BeamSession(main, source(name), idleMs) };
}

test('it is loaded once for all that ask, kept while it is used, and makes room when it is not', async () => {
  const { loads, beams } = session();
  expect(await beams.makeRoom()).toBe(false);
  const run = () => beams.during(() => beams.run(feeds()), signal);
  const outputs = await Promise.all([run(), run()]);
  expect(outputs.map((output) => output['speech_probs']!.dims)).toEqual([[1], [1]]);
  expect(loads).toHaveLength(1);
  expect(await beams.during(() => beams.makeRoom(), signal)).toBe(false);
  expect(await beams.makeRoom()).toBe(true);
  expect(await beams.makeRoom()).toBe(false);
  await run();
  expect(loads).toHaveLength(2);
});

test('it goes when nobody has wanted it for a while', async () => {
  const { loads, beams } = session(undefined, 20);
  await beams.during(() => Promise.resolve(), signal);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await beams.makeRoom()).toBe(false); // it has gone by itself
  await beams.during(() => Promise.resolve(), signal);
  expect(loads).toHaveLength(2);
});

test('what cannot be loaded is not tried again at once, and an abort is not waited for', async () => {
  const { beams } = session('missing.onnx');
  const failure = beams.during(() => Promise.resolve(), signal).catch((error: unknown) => error);
  expect(await failure).toMatchObject({ code: 'MODEL_LOAD_FAILED' });
  const again = beams.during(() => Promise.resolve(), signal).catch((error: unknown) => error);
  expect(await again).toBe(await failure);
  const stopped = session().beams.during(() => Promise.resolve(), AbortSignal.abort());
  await expect(stopped).rejects.toThrow('abort');
});

test('memory that runs out while a network is loaded is told as such', () => {
  const error = new Error('BFCArena::AllocateRawInternal Failed to allocate memory for requested');
  expect(loadFailure(error, 'cuda')).toMatchObject({ code: 'GPU_OUT_OF_MEMORY' });
  expect(loadFailure(new Error('bad graph'), 'cuda')).toMatchObject({ code: 'MODEL_LOAD_FAILED' });
});
