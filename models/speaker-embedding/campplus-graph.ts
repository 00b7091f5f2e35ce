import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';
import { fbankFrames, kaldiFbank } from './kaldi-fbank.ts';

const NORM_EPSILON = 1e-5;
/** Of the densely connected blocks: layers, and how far apart their three taps are. */
const BLOCKS = [
  { layers: 12, dilation: 1 },
  { layers: 24, dilation: 2 },
  { layers: 16, dilation: 2 },
] as const;
/** Frames of 20 ms that context-aware masking averages, beside all of them. */
const CONTEXT_FRAMES = 100;
const TDNN_STRIDE = 2;
/** The filter bank's 80 mels, halved three times, in 32 channels. */
const HEAD_CHANNELS = 320;
export const EMBEDDING_DIMENSIONS = 192;

interface Context {
  readonly graph: OnnxGraph;
  readonly weights: Weights;
}

/**
 * CAM++ (3D-Speaker): `waveform` `[batch, samples]` in [-1, 1] → embeddings `[batch, 192]`, not
 * normalised. Reproduces 3D-Speaker's `CAMPPlus` behind its filter bank (golden test).
 */
export function campplusGraph(context: Context, waveform: Value, samples: number): Value {
  const { graph } = context;
  const mels = kaldiFbank(graph, waveform, samples);
  const frames = Math.ceil(fbankFrames(samples) / TDNN_STRIDE);
  const image = graph.op('Unsqueeze', [
    graph.op('Transpose', [mels], { perm: { ints: [0, 2, 1] } }),
    graph.integers([1]),
  ]);
  let value = graph.op('Reshape', [head(context, image), graph.integers([0, HEAD_CHANNELS, -1])]);
  value = convolution(context, value, { name: 'xvector.tdnn.linear', padding: 2, stride: [2] });
  value = activation(context, value, 'xvector.tdnn.nonlinear');
  const pooling = contextPooling(graph, frames);
  for (const [index, { layers, dilation }] of BLOCKS.entries()) {
    for (let layer = 1; layer <= layers; layer++) {
      const name = `xvector.block${index + 1}.tdnnd${layer}`;
      const added = denseLayer(context, value, { name, dilation, pooling });
      value = graph.op('Concat', [value, added], { axis: { int: 1 } });
    }
    const name = `xvector.transit${index + 1}`;
    value = activation(context, value, `${name}.nonlinear`);
    value = convolution(context, value, { name: `${name}.linear` });
  }
  const features = activation(context, value, 'xvector.out_nonlinear');
  return embedding(context, meanAndDeviation(graph, features, frames));
}

/** Convolutions over mels and time, which halve the mels three times: `[batch, 32, 10, frames]`. */
function head(context: Context, image: Value): Value {
  const first = convolution(context, image, { name: 'head.conv1', padding: 1, stride: [1, 1] });
  let value = activation(context, first, 'head', 'bn1');
  for (const layer of ['layer1', 'layer2']) {
    value = residualBlock(context, value, { name: `head.${layer}.0`, stride: 2 });
    value = residualBlock(context, value, { name: `head.${layer}.1`, stride: 1 });
  }
  const last = convolution(context, value, { name: 'head.conv2', padding: 1, stride: [2, 1] });
  return activation(context, last, 'head', 'bn2');
}

function residualBlock(
  context: Context,
  input: Value,
  { name, stride }: { readonly name: string; readonly stride: number },
): Value {
  const { graph } = context;
  const first = { name: `${name}.conv1`, padding: 1, stride: [stride, 1] };
  const inner = activation(context, convolution(context, input, first), name, 'bn1');
  const second = convolution(context, inner, { name: `${name}.conv2`, padding: 1, stride: [1, 1] });
  const shortcut = { name: `${name}.shortcut.0`, stride: [stride, 1] };
  const straight =
    stride === 1
      ? input
      : batchNorm(context, convolution(context, input, shortcut), `${name}.shortcut.1`);
  const sum = graph.op('Add', [batchNorm(context, second, `${name}.bn2`), straight]);
  return graph.op('Relu', [sum]);
}

interface Convolution {
  readonly name: string;
  readonly padding?: number;
  readonly dilation?: number;
  /** One number for each axis; one axis by default. */
  readonly stride?: readonly number[];
}

function convolution(
  { graph, weights }: Context,
  input: Value,
  { name, padding = 0, dilation = 1, stride = [1] }: Convolution,
): Value {
  const both = [...stride, ...stride].map(() => padding);
  const inputs = [input, weights.tensor(graph, `${name}.weight`)];
  if (weights.has(`${name}.bias`)) inputs.push(weights.tensor(graph, `${name}.bias`));
  return graph.op('Conv', inputs, {
    pads: { ints: both },
    strides: { ints: stride },
    dilations: { ints: stride.map(() => dilation) },
  });
}

const activation = (context: Context, value: Value, name: string, norm = 'batchnorm'): Value =>
  context.graph.op('Relu', [batchNorm(context, value, `${name}.${norm}`)]);

function batchNorm({ graph, weights }: Context, value: Value, name: string): Value {
  const parameters = ['weight', 'bias', 'running_mean', 'running_var'].map((parameter) =>
    weights.tensor(graph, `${name}.${parameter}`),
  );
  return graph.op('BatchNormalization', [value, ...parameters], {
    epsilon: { float: NORM_EPSILON },
  });
}

/** Matrices that average frames (`[frames, contexts]`) and spread the result (`[contexts, frames]`). */
interface ContextPooling {
  readonly average: Value;
  readonly spread: Value;
}

/** The mean of all frames plus the mean of the hundred around: one context for each hundred. */
function contextPooling(graph: OnnxGraph, frames: number): ContextPooling {
  const contexts = Math.ceil(frames / CONTEXT_FRAMES);
  const average = new Float32Array(frames * contexts);
  const spread = new Float32Array(contexts * frames);
  for (let context = 0; context < contexts; context++) {
    const start = context * CONTEXT_FRAMES;
    const end = Math.min(frames, start + CONTEXT_FRAMES);
    for (let frame = 0; frame < frames; frame++) {
      const isInside = frame >= start && frame < end;
      average[frame * contexts + context] = 1 / frames + (isInside ? 1 / (end - start) : 0);
      spread[context * frames + frame] = isInside ? 1 : 0;
    }
  }
  return {
    average: graph.floats(average, [frames, contexts]),
    spread: graph.floats(spread, [contexts, frames]),
  };
}

interface DenseLayer {
  readonly name: string;
  readonly dilation: number;
  readonly pooling: ContextPooling;
}

/** `[batch, channels, frames]` → 32 further channels, each masked by what is said around. */
function denseLayer(
  context: Context,
  input: Value,
  { name, dilation, pooling }: DenseLayer,
): Value {
  const { graph } = context;
  const narrow = convolution(context, activation(context, input, `${name}.nonlinear1`), {
    name: `${name}.linear1`,
  });
  const value = activation(context, narrow, `${name}.nonlinear2`);
  const local = convolution(context, value, {
    name: `${name}.cam_layer.linear_local`,
    padding: dilation,
    dilation,
  });
  const around = graph.op('MatMul', [value, pooling.average]);
  const hidden = convolution(context, around, { name: `${name}.cam_layer.linear1` });
  const logits = convolution(context, graph.op('Relu', [hidden]), {
    name: `${name}.cam_layer.linear2`,
  });
  const mask = graph.op('MatMul', [graph.op('Sigmoid', [logits]), pooling.spread]);
  return graph.op('Mul', [local, mask]);
}

/** `[batch, channels, frames]` → `[batch, 2 · channels]`: mean and unbiased standard deviation. */
function meanAndDeviation(graph: OnnxGraph, features: Value, frames: number): Value {
  const keepdims = { keepdims: { int: 1 } };
  const mean = graph.op('ReduceMean', [features, graph.integers([-1])], keepdims);
  const centred = graph.op('Sub', [features, mean]);
  const squares = graph.op('Mul', [centred, centred]);
  const total = graph.op('ReduceSum', [squares, graph.integers([-1])], keepdims);
  const variance = graph.op('Div', [total, graph.float(frames - 1)]);
  return graph.op('Concat', [mean, graph.op('Sqrt', [variance])], { axis: { int: 1 } });
}

/** `[batch, 1024, 1]` → `[batch, 192]`; its batch norm has no weights of its own. */
function embedding(context: Context, pooled: Value): Value {
  const { graph, weights } = context;
  const projected = convolution(context, pooled, { name: 'xvector.dense.linear' });
  const name = 'xvector.dense.nonlinear.batchnorm';
  const [ones, zeros] = [1, 0].map((value) =>
    graph.floats(new Float32Array(EMBEDDING_DIMENSIONS).fill(value), [EMBEDDING_DIMENSIONS]),
  );
  const normed = graph.op(
    'BatchNormalization',
    [
      projected,
      ones!,
      zeros!,
      weights.tensor(graph, `${name}.running_mean`),
      weights.tensor(graph, `${name}.running_var`),
    ],
    { epsilon: { float: NORM_EPSILON } },
  );
  return graph.op('Reshape', [normed, graph.integers([0, EMBEDDING_DIMENSIONS])]);
}
