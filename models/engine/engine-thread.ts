import { parentPort } from 'node:worker_threads';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { SttError } from '../../core/errors.ts';
import { OnnxGraph } from '../graph/onnx-graph.ts';
import { Weights } from '../graph/weights.ts';
import { readWhisperCheckpoint } from '../whisper/checkpoint.ts';
import { transcriptionGraph } from '../whisper/transcription-graph.ts';
import { createSession } from './onnx-session.ts';
import {
  type DeviceOptions,
  type EngineRequest,
  type EngineResponse,
  type NetworkSource,
  type TensorMap,
  type TensorMessage,
  transferList,
} from './protocol.ts';

/**
 * The thread that owns every session. `create` and `run` of onnxruntime-node block their thread,
 * so requests are answered one after the other, in order.
 */
const sessions = new Map<string, InferenceSession>();
const port = parentPort!;
let queue = Promise.resolve();

port.on('message', (request: EngineRequest) => {
  queue = queue.then(() => answer(request));
});

async function answer(request: EngineRequest): Promise<void> {
  try {
    const outputs = await handle(request);
    post({ id: request.id, outcome: 'done', outputs }, transferList(outputs));
  } catch (error) {
    post({ id: request.id, outcome: 'failed', error: describe(error).toJSON() }, []);
  }
}

async function handle(request: EngineRequest): Promise<TensorMap> {
  switch (request.type) {
    case 'load':
      sessions.set(request.session, await load(request.source, request.device));
      return {};
    case 'run':
      return run(request.session, request.feeds);
    case 'close':
      for (const session of sessions.values()) await session.release();
      sessions.clear();
      return {};
  }
}

async function load(source: NetworkSource, device: DeviceOptions): Promise<InferenceSession> {
  if (source.kind === 'onnx') return createSession(source.file, device);
  const checkpoint = await readWhisperCheckpoint(source.folder);
  const weights = new Weights(checkpoint.tensors, {
    computeType: source.computeType,
    // The encoder meets 1,500 positions at once: measured twice as fast in float32 on a CPU.
    expandQuantized: (name) => name.startsWith('model.encoder.') || isAudioProjection(name),
  });
  const graph = new OnnxGraph();
  transcriptionGraph(graph, weights, checkpoint);
  return createSession(graph.toModel(), device);
}

/** The decoder's projections of the encoder's output, met by 1,500 positions as well. */
const isAudioProjection = (name: string): boolean => /encoder_attn\.[kv]_proj\./.test(name);

async function run(name: string, feeds: TensorMap): Promise<TensorMap> {
  const session = sessions.get(name);
  if (session === undefined) throw new SttError('INTERNAL', `No session ${name} in the engine`);
  const inputs = Object.entries(feeds).map(([input, { type, data, dims }]) => [
    input,
    new Tensor(type, data as never, dims), // Type and data agree by TensorMessage's construction.
  ]);
  const outputs = await session.run(Object.fromEntries(inputs));
  return Object.fromEntries(
    Object.entries(outputs).map(([output, tensor]) => [output, toMessage(tensor as Tensor)]),
  );
}

/** Copies where the runtime still owns the memory: only a whole own buffer can be moved. */
function toMessage(tensor: Tensor): TensorMessage {
  const data = tensor.data as TensorMessage['data'];
  return { type: tensor.type as TensorMessage['type'], dims: tensor.dims, data: data.slice() };
}

function describe(error: unknown): SttError {
  if (error instanceof SttError) return error;
  const text = error instanceof Error ? error.message : '';
  if (/out of memory|Failed to allocate memory|bad_alloc|BFCArena/i.test(text)) {
    return new SttError('GPU_OUT_OF_MEMORY', 'The device has too little memory for this batch');
  }
  return new SttError('INTERNAL', 'A model run failed', { cause: error });
}

function post(response: EngineResponse, transfer: ArrayBuffer[]): void {
  port.postMessage(response, transfer);
}
