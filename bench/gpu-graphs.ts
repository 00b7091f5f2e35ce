import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { secToSamples } from '../audio/time.ts';
import { createSession } from '../models/engine/onnx-session.ts';
import { type InferenceSession, Tensor } from '../models/engine/onnxruntime.ts';
import type { DeviceOptions, TensorMap } from '../models/engine/protocol.ts';
import { logMel } from '../models/features/log-mel.ts';
import { OnnxGraph } from '../models/graph/onnx-graph.ts';
import { Weights } from '../models/graph/weights.ts';
import type { WhisperCheckpoint } from '../models/whisper/checkpoint.ts';
import { encoder } from '../models/whisper/encoder.ts';
import { expandedMatrices } from '../models/whisper/expanded-matrices.ts';
import type { ProfileEvent } from './gpu-profile.ts';

const WINDOW_SAMPLES = secToSamples(30);

/** Log-mel and encoder alone; of their output one number a window, so that no copy is measured. */
export async function encoderSession(
  checkpoint: WhisperCheckpoint,
  computeType: 'float32' | 'float16',
  device: DeviceOptions,
): Promise<InferenceSession> {
  const weights = new Weights(checkpoint.tensors, {
    computeType,
    expandQuantized: expandedMatrices(checkpoint, { batchSize: 1 }),
  });
  const graph = new OnnxGraph();
  const waveform = graph.input('waveform', 'float32', ['windows', WINDOW_SAMPLES]);
  const mel = logMel(graph, waveform, checkpoint.melBins);
  const audio = encoder(graph, weights, checkpoint, mel);
  const mean = graph.op('ReduceMean', [audio, graph.integers([1, 2])], { keepdims: { int: 0 } });
  graph.output('mean', mean, computeType, ['windows']);
  return createSession(graph.toModel(), device);
}

/** Runs a session; feeds that it does not know are left out. Milliseconds, and tokens of the longest row. */
export async function timedRun(
  session: InferenceSession,
  feeds: TensorMap,
): Promise<{ readonly ms: number; readonly tokens: number }> {
  const inputs = Object.entries(feeds)
    .filter(([name]) => session.inputNames.includes(name))
    .map(([name, { type, data, dims }]) => [name, new Tensor(type, data as never, dims)]);
  const startedAt = performance.now();
  const outputs = await session.run(Object.fromEntries(inputs));
  const ms = performance.now() - startedAt;
  const searched = outputs['tokens']?.dims[1]; // [windows, tokens], of a beam search
  const steps = [1, 2, 3].map((stage) => outputs[`tokens_${stage}`]?.dims[0] ?? 0);
  return { ms, tokens: searched ?? 1 + steps.reduce((sum, count) => sum + count, 0) };
}

/** Ends a session's profile, reads and removes its file. */
export async function takeProfile(
  session: InferenceSession,
  prefix: string,
): Promise<ProfileEvent[]> {
  session.endProfiling();
  const folder = dirname(prefix);
  const files = (await readdir(folder)).filter((file) => file.startsWith(basename(prefix)));
  const path = join(folder, files[0]!);
  const events = JSON.parse(await readFile(path, 'utf8')) as ProfileEvent[];
  await rm(path);
  return events;
}
