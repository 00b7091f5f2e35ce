import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { secToSamples } from '../audio/time.ts';
import { createSession } from '../models/engine/onnx-session.ts';
import type { DeviceOptions, TensorMap } from '../models/engine/protocol.ts';
import { logMel } from '../models/features/log-mel.ts';
import { OnnxGraph } from '../models/graph/onnx-graph.ts';
import { Weights } from '../models/graph/weights.ts';
import type { WhisperCheckpoint } from '../models/whisper/checkpoint.ts';
import { decodeFeeds } from '../models/whisper/decode-feeds.ts';
import { encoder } from '../models/whisper/encoder.ts';
import { expandedMatrices } from '../models/whisper/expanded-matrices.ts';
import { rowPrompt } from '../models/whisper/row-prompt.ts';
import { FORBIDDEN } from '../models/whisper/timestamp-rules.ts';
import type { ProfileEvent } from './gpu-profile.ts';

const WINDOW_SAMPLES = secToSamples(30);
/** No run of repeated tokens is this long. */
const NEVER = 1e9;

/** Log-mel and encoder alone; of their output one number a window, so that no copy is measured. */
export async function encoderSession(
  checkpoint: WhisperCheckpoint,
  computeType: 'float32' | 'float16',
  device: DeviceOptions,
): Promise<InferenceSession> {
  const weights = new Weights(checkpoint.tensors, {
    computeType,
    expandQuantized: expandedMatrices(checkpoint, 1),
  });
  const graph = new OnnxGraph();
  const waveform = graph.input('waveform', 'float32', ['windows', WINDOW_SAMPLES]);
  const mel = logMel(graph, waveform, checkpoint.melBins);
  const audio = encoder(graph, weights, checkpoint, mel);
  const mean = graph.op('ReduceMean', [audio, graph.integers([1, 2])], { keepdims: { int: 0 } });
  graph.output('mean', mean, computeType, ['windows']);
  return createSession(graph.toModel(), device);
}

/** Feeds by which every one of `windows` rows says exactly `tokens` tokens, whatever the weights. */
export function fixedLengthFeeds(
  checkpoint: WhisperCheckpoint,
  windows: number,
  tokens: number,
): TensorMap {
  const { endOfText, languages, timestampsStart } = checkpoint.tokens;
  const requests = Array.from({ length: windows }, () => ({
    waveform: noise(),
    task: 'transcribe' as const,
    language: languages[0]!,
    timestamps: false,
    temperature: 0,
    prompt: null,
  }));
  const prompts = requests.map((request) => rowPrompt(checkpoint, request, []));
  const feeds = decodeFeeds(checkpoint, requests, prompts);
  const textBias = new Float32Array(timestampsStart);
  textBias[endOfText] = FORBIDDEN;
  const thresholds = new Float32Array(feeds['loop_thresholds']!.data.length).fill(NEVER);
  const limits = new BigInt64Array(windows).fill(BigInt(tokens));
  return {
    ...feeds,
    text_bias: { ...feeds['text_bias']!, data: textBias },
    loop_thresholds: { ...feeds['loop_thresholds']!, data: thresholds },
    token_limits: { type: 'int64', data: limits, dims: [windows, 1] },
    max_tokens: { type: 'int64', data: BigInt64Array.of(BigInt(tokens)), dims: [] },
  };
}

/** Runs a session; feeds that it does not know are left out. Milliseconds and tokens of one row. */
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
  const steps = [1, 2, 3].map((stage) => outputs[`tokens_${stage}`]?.dims[0] ?? 0);
  return { ms, tokens: 1 + steps.reduce((sum, count) => sum + count, 0) };
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

/** A third of a second of quiet noise, the rest silence: every window is the same. */
function noise(): Float32Array<ArrayBuffer> {
  const waveform = new Float32Array(WINDOW_SAMPLES);
  for (let sample = 0; sample < 5000; sample++) waveform[sample] = 0.1 * Math.sin(sample ** 1.5);
  return waveform;
}
