import { hasIntegerDotProduct } from '../models/engine/integer-dot-product.ts';
import { createSession } from '../models/engine/onnx-session.ts';
import { type InferenceSession, Tensor } from '../models/engine/onnxruntime.ts';
import type { DeviceOptions } from '../models/engine/protocol.ts';
import { OnnxGraph } from '../models/graph/onnx-graph.ts';
import { Weights } from '../models/graph/weights.ts';
import { weightForm } from '../models/whisper/byte-matrices.ts';
import { readWhisperCheckpoint, type WhisperCheckpoint } from '../models/whisper/checkpoint.ts';
import { decodeFeeds } from '../models/whisper/decode-feeds.ts';
import { rowPrompt } from '../models/whisper/row-prompt.ts';
import { transcriptionGraph } from '../models/whisper/transcription-graph.ts';

/** As a worker on a CPU has it. */
const BATCH_SIZE = 8;

/** The graph of a checkpoint as the engine's thread builds it. */
export async function buildGraph(
  folder: string,
  computeType: 'float32' | 'float16',
  search: 'greedy' | 'beam' = 'greedy',
): Promise<{ readonly checkpoint: WhisperCheckpoint; readonly model: Uint8Array }> {
  const checkpoint = await readWhisperCheckpoint(folder);
  const isOnCpu = computeType === 'float32';
  const steps = {
    batchSize: BATCH_SIZE,
    search,
    hasIntegerDotProduct: isOnCpu && hasIntegerDotProduct(),
  };
  const weights = new Weights(checkpoint.tensors, {
    computeType,
    ...weightForm(checkpoint, steps),
  });
  const graph = new OnnxGraph();
  transcriptionGraph(graph, weights, checkpoint, search);
  return { checkpoint, model: graph.toModel() };
}

export const loadGraph = (
  model: Uint8Array,
  device: DeviceOptions,
  profilePrefix?: string,
): Promise<InferenceSession> => createSession(model, device, profilePrefix);

/** One second of silence in a window, one token: the first run finds what the later ones need. */
export async function warmUp(
  session: InferenceSession,
  checkpoint: WhisperCheckpoint,
): Promise<void> {
  const request = {
    waveform: new Float32Array(16_000),
    task: 'transcribe',
    language: checkpoint.tokens.languages[0]!,
    timestamps: false,
    temperature: 0,
    prompt: null,
  } as const;
  const feeds = {
    ...decodeFeeds(checkpoint, [request], [rowPrompt(checkpoint, request, [])]),
    max_tokens: { type: 'int64', data: BigInt64Array.of(1n), dims: [] },
    token_limits: { type: 'int64', data: BigInt64Array.of(1n), dims: [1, 1] },
  } as const;
  const inputs = Object.entries(feeds)
    .filter(([name]) => session.inputNames.includes(name))
    .map(([name, { type, data, dims }]) => [name, new Tensor(type, data as never, dims)]);
  await session.run(Object.fromEntries(inputs));
}
