import { readFile } from 'node:fs/promises';
import onnxProto, { type onnx as Onnx } from 'onnx-proto';
import { SttError } from '../../core/errors.ts';
import { OnnxGraph } from '../graph/onnx-graph.ts';
import { ge2eMels } from './ge2e-mels.ts';
import { kaldiFbank } from './kaldi-fbank.ts';

const { onnx } = onnxProto; // A CommonJS module: its named exports are types only.

/** What turns samples into the features that a speaker encoder was trained on. */
export type SpeakerFrontEnd = 'ge2e' | 'kaldi-fbank';

export interface SpeakerEncoderSource {
  readonly file: string;
  readonly frontEnd: SpeakerFrontEnd;
  readonly excerptSamples: number;
}

/** The encoder in the file with its front end in front. @throws {SttError} MODEL_LOAD_FAILED. */
export async function speakerEncoder(source: SpeakerEncoderSource): Promise<Uint8Array> {
  const network = await readFile(source.file).catch((cause: unknown) => {
    throw new SttError('MODEL_LOAD_FAILED', 'The speaker encoder could not be read', { cause });
  });
  return withFrontEnd(network, source.frontEnd, source.excerptSamples);
}

/**
 * The encoder in `network` with its front end in front: `waveform` float32 `[batch, samples]` →
 * `embedding` float32 `[batch, dimensions]`. The file's weights are as they were; the front ends use
 * only operators that mean the same in opsets 13 to 18.
 * @throws {SttError} MODEL_LOAD_FAILED where the encoder has not one input and an output.
 */
function withFrontEnd(network: Uint8Array, frontEnd: SpeakerFrontEnd, samples: number): Uint8Array {
  const model = onnx.ModelProto.decode(network);
  const graph = model.graph as Onnx.GraphProto | null | undefined;
  const weights = new Set(graph?.initializer?.map(({ name }) => name));
  const inputs = graph?.input?.filter(({ name }) => !weights.has(name)) ?? [];
  const output = graph?.output?.[0];
  if (!graph || inputs.length !== 1 || !output?.name) {
    throw new SttError('MODEL_LOAD_FAILED', 'The speaker encoder must have one input, one output');
  }
  const front = onnx.ModelProto.decode(frontEndGraph(frontEnd, samples)).graph!;
  const toFeatures = { opType: 'Identity', input: ['features'], output: [inputs[0]!.name!] };
  const toEmbedding = { opType: 'Identity', input: [output.name], output: ['embedding'] };
  graph.node = [...front.node!, toFeatures, ...graph.node!, toEmbedding] as Onnx.NodeProto[];
  graph.initializer = [...front.initializer!, ...graph.initializer!];
  graph.input = [...front.input!, ...graph.input!.filter(({ name }) => weights.has(name))];
  graph.output = output.name === 'embedding' ? graph.output! : [{ ...output, name: 'embedding' }];
  if (output.name === 'embedding') graph.node = graph.node.slice(0, -1);
  return onnx.ModelProto.encode(model).finish();
}

function frontEndGraph(frontEnd: SpeakerFrontEnd, samples: number): Uint8Array {
  const graph = new OnnxGraph();
  const waveform = graph.input('waveform', 'float32', ['batch', samples]);
  const features =
    frontEnd === 'ge2e' ? ge2eMels(graph, waveform, samples) : kaldiFbank(graph, waveform, samples);
  graph.output('features', features, 'float32', ['batch', 'frames', 'mels']);
  return graph.toModel();
}
