import { parentPort } from 'node:worker_threads';
import { SttError } from '../../core/errors.ts';
import { OnnxGraph } from '../graph/onnx-graph.ts';
import { readTensorTable } from '../graph/safetensors.ts';
import { Weights } from '../graph/weights.ts';
import { segmentationGraph } from '../segmentation/segmentation-graph.ts';
import { campplusGraph } from '../speaker-embedding/campplus-graph.ts';
import { sileroGraph } from '../vad/silero-graph.ts';
import { readSileroWeights } from '../vad/silero-weights.ts';
import { readWav2Vec2Checkpoint } from '../wav2vec2/checkpoint.ts';
import { ctcGraph } from '../wav2vec2/ctc-graph.ts';
import { weightForm } from '../whisper/byte-matrices.ts';
import { readWhisperCheckpoint } from '../whisper/checkpoint.ts';
import { transcriptionGraph } from '../whisper/transcription-graph.ts';
import { packFailure } from './failure-message.ts';
import { hasIntegerDotProduct } from './integer-dot-product.ts';
import { createSession } from './onnx-session.ts';
import { type InferenceSession, Tensor } from './onnxruntime.ts';
import {
  type DeviceOptions,
  type EngineRequest,
  type EngineResponse,
  type LoadTimes,
  type NetworkSource,
  type TensorMap,
  type TensorMessage,
  transferList,
} from './protocol.ts';
import { runFailure } from './run-failure.ts';

/**
 * The thread that owns its sessions. `create` and `run` of onnxruntime-node block their thread, so
 * requests are answered one after the other; `InferenceEngine` sends the next when one is answered.
 */
const sessions = new Map<string, InferenceSession>();
const port = parentPort!;
let queue = Promise.resolve();

port.on('message', (request: EngineRequest) => {
  queue = queue.then(() => answer(request));
});

async function answer(request: EngineRequest): Promise<void> {
  try {
    post({ id: request.id, outcome: 'done', ...(await handle(request)) });
  } catch (error) {
    post({ id: request.id, outcome: 'failed', error: packFailure(SttError.from(error)) });
  }
}

type Handled = Pick<Extract<EngineResponse, { outcome: 'done' }>, 'outputs' | 'loadTimes'>;

async function handle(request: EngineRequest): Promise<Handled> {
  switch (request.type) {
    case 'load':
      return { outputs: {}, loadTimes: await load(request) };
    case 'run':
      return { outputs: await run(request.session, request.feeds) };
    case 'unload':
      await sessions.get(request.session)?.release();
      sessions.delete(request.session);
      return { outputs: {} };
    case 'close':
      for (const session of sessions.values()) await session.release();
      sessions.clear();
      return { outputs: {} };
  }
}

async function load({
  session,
  source,
  device,
}: Extract<EngineRequest, { type: 'load' }>): Promise<LoadTimes> {
  const startedAt = performance.now();
  const model = await modelOf(source, device);
  const builtAt = performance.now();
  sessions.set(session, await createSession(model, device));
  return { buildMs: builtAt - startedAt, createMs: performance.now() - builtAt };
}

async function modelOf(source: NetworkSource, device: DeviceOptions): Promise<Uint8Array | string> {
  switch (source.kind) {
    case 'onnx':
      return source.file;
    case 'silero-vad':
      return sileroVad(source);
    case 'speaker-segmentation':
    case 'speaker-encoder':
      return speakerGraph(source);
    case 'wav2vec2':
      return wav2vec2Graph(source);
    case 'whisper':
      return whisperGraph(source, device);
  }
}

async function sileroVad({
  file,
}: Extract<NetworkSource, { kind: 'silero-vad' }>): Promise<Uint8Array> {
  const graph = new OnnxGraph();
  sileroGraph(graph, await readSileroWeights(file));
  return graph.toModel();
}

/** In float32 on every device: small networks, which a GPU runs in no time. */
async function speakerGraph({
  kind,
  folder,
  windowSamples,
}: Extract<
  NetworkSource,
  { kind: 'speaker-segmentation' | 'speaker-encoder' }
>): Promise<Uint8Array> {
  const tensors = await readTensorTable(folder);
  const weights = new Weights(tensors, { computeType: 'float32', expandQuantized: () => true });
  const graph = new OnnxGraph();
  const waveform = graph.input('waveform', 'float32', ['batch', windowSamples]);
  if (kind === 'speaker-segmentation') {
    const speaking = segmentationGraph({ graph, weights }, waveform);
    graph.output('speaking', speaking, 'float32', ['batch', 'frames', 'speakers']);
  } else {
    const embedding = campplusGraph({ graph, weights }, waveform, windowSamples);
    graph.output('embedding', embedding, 'float32', ['batch', 'dimensions']);
  }
  return graph.toModel();
}

async function whisperGraph(
  { folder, computeType, batchSize, search }: Extract<NetworkSource, { kind: 'whisper' }>,
  { device }: DeviceOptions,
): Promise<Uint8Array> {
  const checkpoint = await readWhisperCheckpoint(folder);
  const steps = {
    batchSize,
    search,
    hasIntegerDotProduct: device === 'cpu' && hasIntegerDotProduct(),
  };
  const weights = new Weights(checkpoint.tensors, {
    computeType,
    ...weightForm(checkpoint, steps),
  });
  const graph = new OnnxGraph();
  transcriptionGraph(graph, weights, checkpoint, search);
  return graph.toModel();
}

async function wav2vec2Graph({
  folder,
  computeType,
}: Extract<NetworkSource, { kind: 'wav2vec2' }>): Promise<Uint8Array> {
  const checkpoint = await readWav2Vec2Checkpoint(folder);
  const weights = new Weights(checkpoint.tensors, { computeType, expandQuantized: () => true });
  const graph = new OnnxGraph();
  ctcGraph(graph, weights, checkpoint);
  return graph.toModel();
}

async function run(name: string, feeds: TensorMap): Promise<TensorMap> {
  const session = sessions.get(name);
  if (session === undefined) throw new SttError('INTERNAL', `No session ${name} in the engine`);
  const inputs = Object.entries(feeds).map(([input, { type, data, dims }]) => [
    input,
    new Tensor(type, data as never, dims), // Type and data agree by TensorMessage's construction.
  ]);
  const outputs = await session.run(Object.fromEntries(inputs)).catch((error: unknown) => {
    throw runFailure(error);
  });
  return Object.fromEntries(
    Object.entries(outputs).map(([output, tensor]) => [output, toMessage(tensor as Tensor)]),
  );
}

/** Copies where the runtime still owns the memory: only a whole own buffer can be moved. */
function toMessage(tensor: Tensor): TensorMessage {
  const data = tensor.data as TensorMessage['data'];
  return { type: tensor.type as TensorMessage['type'], dims: tensor.dims, data: data.slice() };
}

function post(response: EngineResponse): void {
  port.postMessage(response, response.outcome === 'done' ? transferList(response.outputs) : []);
}
