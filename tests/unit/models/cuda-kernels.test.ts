import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { OnnxGraph } from '../../../models/graph/onnx-graph.ts';
import { Weights } from '../../../models/graph/weights.ts';
import { WHISPER_TINY_EN } from '../../../models/load-models.ts';
import { readWav2Vec2Checkpoint } from '../../../models/wav2vec2/checkpoint.ts';
import { ctcGraph } from '../../../models/wav2vec2/ctc-graph.ts';
import { readWhisperCheckpoint } from '../../../models/whisper/checkpoint.ts';
import { transcriptionGraph } from '../../../models/whisper/transcription-graph.ts';
import { writeRandomCheckpoint } from '../../../scripts/random-checkpoint.ts';
import { WHISPER_SHAPES } from '../../../scripts/whisper-shapes.ts';
import { CUDA_KERNELS } from './cuda-kernels.ts';
import { type TypedNode, typedNodes } from './typed-nodes.ts';

/** No GPU is needed: the graphs for one are read, node by node, against the kernels that there are. */
const folder = await mkdtemp(join(tmpdir(), 'stt-cuda-kernels-'));
afterAll(() => rm(folder, { recursive: true }));
await writeRandomCheckpoint(folder, {
  shape: {
    ...WHISPER_SHAPES['large-v3']!,
    ...{ dModel: 64, heads: 1, encoderLayers: 1, decoderLayers: 2 },
    ...{ encoderFeedForward: 64, decoderFeedForward: 64 },
  },
  dtype: 'F16',
  seed: 1,
});

async function nodesOf(checkpointFolder: string, search: 'greedy' | 'beam'): Promise<TypedNode[]> {
  const checkpoint = await readWhisperCheckpoint(checkpointFolder);
  const options = { computeType: 'float16', expandQuantized: () => false } as const;
  const graph = new OnnxGraph();
  transcriptionGraph(graph, new Weights(checkpoint.tensors, options), checkpoint, search);
  return typedNodes(graph.toModel());
}

/** Greedy holds sampling and attention as branches, beam attention. */
const GRAPHS = {
  'float16, greedy': await nodesOf(folder, 'greedy'),
  'float16, beam': await nodesOf(folder, 'beam'),
  '8 bit, greedy': await nodesOf(WHISPER_TINY_EN.folder, 'greedy'),
  '8 bit, beam': await nodesOf(WHISPER_TINY_EN.folder, 'beam'),
};

function missingKernels(nodes: readonly TypedNode[]): string[] {
  return nodes
    .filter(({ operator, inputs }) => {
      const { inputs: types, onHost = [] } = CUDA_KERNELS.get(operator) ?? { inputs: [] };
      return inputs.some(({ type }, place) => {
        if (onHost.includes(place)) return false;
        return !(types[Math.min(place, types.length - 1)] ?? []).includes(type);
      });
    })
    .map(({ operator, name, inputs }) => `${name} ${operator}(${inputs.map(({ type }) => type)})`);
}

/** Inputs that a kernel reads on the CPU while they are made on the GPU: each is a copy and a wait. */
const waits = (nodes: readonly TypedNode[]): string[] =>
  nodes
    .filter(({ operator, inputs }) =>
      (CUDA_KERNELS.get(operator)?.onHost ?? []).some(
        (place) => inputs[place] !== undefined && !inputs[place].isOnHost,
      ),
    )
    .map(({ name }) => name);

describe.each(['wav2vec2-random-base', 'wav2vec2-random-large'])('%s', (name) => {
  const model = join(import.meta.dirname, '../../../../shared/models', name);
  const title = 'every node of a model that aligns words has a CUDA kernel for its types';
  test.skipIf(!existsSync(model))(
    existsSync(model) ? title : `${title} (skipped: no ../shared folder with models)`,
    async () => {
      const checkpoint = await readWav2Vec2Checkpoint(model);
      const options = { computeType: 'float16', expandQuantized: () => true } as const;
      const graph = new OnnxGraph();
      ctcGraph(graph, new Weights(checkpoint.tensors, options), checkpoint);
      const nodes = typedNodes(graph.toModel());
      expect(nodes.filter(({ operator }) => operator === 'MultiHeadAttention').length).toBe(
        checkpoint.layers,
      );
      expect(missingKernels(nodes)).toEqual([]);
    },
  );
});

describe.each(Object.entries(GRAPHS))('%s', (_, nodes) => {
  test('every node of the Loops, and every other, has a CUDA kernel for its types', () => {
    expect(nodes.filter(({ isInLoop }) => isInLoop).length).toBeGreaterThan(200);
    expect(missingKernels(nodes)).toEqual([]);
  });

  test('the spectrogram and all that is done with scores is in float32', () => {
    const isPrecise = ({ name, operator }: TypedNode): boolean =>
      name.startsWith('log_mel/') || /^(?:LogSoftmax|Softmax|ReduceLogSumExp|TopK)$/.test(operator);
    const precise = nodes.filter(isPrecise);
    expect(precise.length).toBeGreaterThan(10);
    const isHalf = ({ inputs }: TypedNode): boolean =>
      inputs.some(({ type }) => type === 'float16');
    expect(precise.filter(isHalf)).toEqual([]);
  });
});

test('a step of a greedy decode reads no size on the CPU, but for prompts of different lengths', () => {
  for (const kind of ['float16, greedy', '8 bit, greedy'] as const) {
    const steps = GRAPHS[kind].filter(({ name, isInLoop }) => isInLoop && /^stage_/.test(name));
    const shapes = steps.filter(({ operator }) => operator === 'Shape');
    expect(steps.length).toBeGreaterThan(200);
    expect(shapes.filter(({ name }) => !/\.(?:padded|rules)\//.test(name))).toEqual([]);
    expect(waits(steps)).toEqual([]);
  }
});
