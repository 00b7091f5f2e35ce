import { readFile } from 'node:fs/promises';
import onnxProto, { type onnx as Onnx } from 'onnx-proto';
import { SttError } from '../../core/errors.ts';
import type { Kernel } from './convolution-matrix.ts';

const { onnx } = onnxProto; // A CommonJS module: its named exports are types only.

interface Convolution {
  readonly kernel: Kernel;
  readonly bias: Float32Array;
}

interface Tensor {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Silero VAD's weights for 16 kHz, by what they are for. */
export interface SileroWeights {
  /** Windowed cosines, then sines. */
  readonly basis: Kernel;
  readonly encoder: readonly Convolution[];
  /** In ONNX's layout: gates input, output, forget, cell. */
  readonly lstm: { readonly input: Tensor; readonly recurrence: Tensor; readonly bias: Tensor };
  readonly output: Convolution;
}

/** @throws {SttError} MODEL_LOAD_FAILED where the file is not this network. */
export async function readSileroWeights(file: string): Promise<SileroWeights> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw failure('could not be read', cause);
  });
  const tensors = tensorsOf(bytes);
  const convolution = (name: string): Convolution => ({
    kernel: kernelOf(tensor(tensors, `${name}.weight`)),
    bias: tensor(tensors, `${name}.bias`).data,
  });
  return {
    basis: kernelOf(tensor(tensors, 'stft.forward_basis_buffer')),
    encoder: [0, 1, 2, 3].map((layer) => convolution(`encoder.${layer}`)),
    lstm: {
      input: tensor(tensors, 'onnx::LSTM_209'),
      recurrence: tensor(tensors, 'onnx::LSTM_210'),
      bias: tensor(tensors, 'onnx::LSTM_211'),
    },
    output: convolution('output'),
  };
}

function tensorsOf(bytes: Uint8Array): readonly Onnx.ITensorProto[] {
  try {
    return onnx.ModelProto.decode(bytes).graph?.initializer ?? [];
  } catch (cause) {
    throw failure('is not an ONNX file', cause);
  }
}

function tensor(tensors: readonly Onnx.ITensorProto[], name: string): Tensor {
  const found = tensors.find((candidate) => candidate.name === name);
  const shape = found?.dims?.map(Number) ?? [];
  const elements = shape.reduce((product, size) => product * size, 1);
  const bytes = found?.rawData ?? new Uint8Array();
  if (bytes.length !== elements * Float32Array.BYTES_PER_ELEMENT) {
    throw failure(`has no float32 tensor ${name}`);
  }
  return { data: new Float32Array(new Uint8Array(bytes).buffer), shape };
}

function kernelOf({ data, shape }: Tensor): Kernel {
  const [outputs = 0, inputs = 0, taps = 0] = shape;
  return { data, outputs, inputs, taps };
}

const failure = (problem: string, cause?: unknown): SttError =>
  new SttError('MODEL_LOAD_FAILED', `The voice activity network ${problem}`, { cause });
