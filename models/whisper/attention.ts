import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';
import { type ByteKeyValues, byteAttention } from './byte-attention.ts';

export interface LayerContext {
  readonly graph: OnnxGraph;
  readonly weights: Weights;
  readonly heads: number;
}

const LAYER_NORM_EPSILON = 1e-5;

export function layerNorm({ graph, weights }: LayerContext, x: Value, name: string): Value {
  const parts = [weights.tensor(graph, `${name}.weight`), weights.tensor(graph, `${name}.bias`)];
  return graph.op('LayerNormalization', [x, ...parts], {
    axis: { int: -1 },
    epsilon: { float: LAYER_NORM_EPSILON },
  });
}

/** `x + fc2(gelu(fc1(norm(x))))`, GELU exact (erf). */
export function feedForward(context: LayerContext, x: Value, layer: string): Value {
  const { graph, weights } = context;
  return graph.in('mlp', () => {
    const normed = layerNorm(context, x, `${layer}.final_layer_norm`);
    const hidden = graph.op('Gelu', [weights.linear(graph, normed, `${layer}.fc1`)]);
    return graph.op('Add', [x, weights.linear(graph, hidden, `${layer}.fc2`)]);
  });
}

/** Self-attention without mask over `x` `[batch, positions, dModel]`, with residual. */
export function encoderSelfAttention(context: LayerContext, x: Value, layer: string): Value {
  const { graph, weights, heads } = context;
  return graph.in('self_attn', () => {
    const normed = layerNorm(context, x, `${layer}.self_attn_layer_norm`);
    const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map((name) =>
      weights.linear(graph, normed, `${layer}.self_attn.${name}`),
    );
    const attended = graph.op('MultiHeadAttention', [query!, key!, value!], {
      num_heads: { int: heads },
    });
    return graph.op('Add', [x, weights.linear(graph, attended, `${layer}.self_attn.out_proj`)]);
  });
}

/** Keys and values of one layer, `[batch, heads, positions, headSize]` each. */
export interface KeyValues {
  readonly keys: Value;
  readonly values: Value;
}

/** What a decoder hears of the audio in one layer: in the compute type or in bytes. */
export type HeardAudio = KeyValues | ByteKeyValues;

/** Positions in front of a row's prompt that it must not see. */
export interface Padding {
  /** bool scalar: some row has any. Kept on the CPU, where `If` reads it. */
  readonly any: Value;
  /** `[rows, 1, 1, positions]` in the compute type, added to the scores; longer than any decode. */
  readonly bias: Value;
}

/** Causal self-attention of new positions over `past` and themselves, with residual. */
export function decoderSelfAttention(
  context: LayerContext,
  x: Value,
  layer: string,
  { past, padding }: { readonly past: KeyValues; readonly padding?: Padding | undefined },
): { readonly output: Value; readonly present: KeyValues } {
  const { graph, weights } = context;
  return graph.in('self_attn', () => {
    const normed = layerNorm(context, x, `${layer}.self_attn_layer_norm`);
    const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map((name) =>
      weights.linear(graph, normed, `${layer}.self_attn.${name}`),
    );
    const inputs = { query: query!, key: key!, value: value!, past };
    const [attended, keys, values] =
      padding === undefined
        ? causalAttention(context, inputs)
        : whereNotPadded(context, inputs, padding);
    const projected = weights.linear(graph, attended!, `${layer}.self_attn.out_proj`);
    return {
      output: graph.op('Add', [x, projected]),
      present: { keys: keys!, values: values! },
    };
  });
}

interface AttentionInputs {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly past: KeyValues;
}

function causalAttention(
  { graph, heads }: LayerContext,
  { query, key, value, past }: AttentionInputs,
  bias: Value = '',
): Value[] {
  const inputs = [query, key, value, '', '', bias, past.keys, past.values];
  return graph.ops('MultiHeadAttention', inputs, 3, {
    num_heads: { int: heads },
    unidirectional: { int: 1 },
  });
}

/** Only a batch that has padding pays for a mask: with one, CUDA has no flash attention. */
function whereNotPadded(
  context: LayerContext,
  inputs: AttentionInputs,
  padding: Padding,
): readonly Value[] {
  const { graph, weights } = context;
  const branch = (name: string, bias: (inner: OnnxGraph) => Value) => ({
    graph: graph.inner(name, (inner) => {
      const outputs = causalAttention({ ...context, graph: inner }, inputs, bias(inner));
      for (const [index, value] of outputs.entries()) {
        // Sizes of one name are taken for equal: every output has its own.
        const sizes = Array.from({ length: index === 0 ? 3 : 4 }, (_, axis) => `${value}.${axis}`);
        inner.output(`${name}.${value}`, value, weights.computeType, sizes);
      }
    }),
  });
  return graph.ops('If', [padding.any], 3, {
    then_branch: branch('padded', (inner) => paddingBias(inner, inputs, padding)),
    else_branch: branch('full', () => ''),
  });
}

/** The bias for the keys that there are, `[rows, 1, new positions, keys]`. */
function paddingBias(graph: OnnxGraph, { query, past }: AttentionInputs, padding: Padding): Value {
  const size = (value: Value, axis: number): Value =>
    graph.op('Gather', [graph.op('Shape', [value]), graph.integers([axis])]);
  const fresh = size(query, 1);
  const keys = graph.op('Add', [size(past.keys, 2), fresh]);
  const bias = graph.op('Slice', [padding.bias, graph.integers([0]), keys, graph.integers([3])]);
  const one = graph.integers([1]);
  const shape = graph.op('Concat', [one, one, fresh, one], { axis: { int: 0 } });
  return graph.op('Expand', [bias, shape]);
}

/**
 * Attention of new positions to the audio, with residual; `audio` is made once per window.
 * `x` may hold several rows per window, next to each other: they ask the window's keys together,
 * which are neither copied nor read more than once.
 */
export function crossAttention(
  context: LayerContext,
  x: Value,
  layer: string,
  { audio, grouping }: { readonly audio: HeardAudio; readonly grouping: Grouping | undefined },
): Value {
  const { graph, weights, heads } = context;
  return graph.in('encoder_attn', () => {
    const normed = layerNorm(context, x, `${layer}.encoder_attn_layer_norm`);
    const query = weights.linear(graph, normed, `${layer}.encoder_attn.q_proj`);
    const asked = grouping === undefined ? query : graph.op('Reshape', [query, grouping.windows]);
    const answer =
      'keyScales' in audio
        ? byteAttention(graph, asked, audio, heads)
        : graph.op('MultiHeadAttention', [asked, audio.keys, audio.values], {
            num_heads: { int: heads },
          });
    const attended = grouping === undefined ? answer : graph.op('Reshape', [answer, grouping.rows]);
    return graph.op('Add', [x, weights.linear(graph, attended, `${layer}.encoder_attn.out_proj`)]);
  });
}

/** Shapes between which rows are regrouped, int64 `[3]`. */
export interface Grouping {
  /** `[windows, rows per window · positions, dModel]`. */
  readonly windows: Value;
  /** `[rows, positions, dModel]`. */
  readonly rows: Value;
}

/** @param x `[rows, positions, dModel]`. */
export function groupingOf(graph: OnnxGraph, x: Value, audio: HeardAudio): Grouping {
  return { windows: windowsShape(graph, audio), rows: graph.op('Shape', [x]) };
}

/**
 * The grouping of a Loop that adds one position per step. ONNX Runtime computes with shapes on the
 * CPU: made outside, they are not a part of every step.
 */
export function stepGrouping(graph: OnnxGraph, audio: HeardAudio, dModel: number): Grouping {
  return { windows: windowsShape(graph, audio), rows: graph.integers([-1, 1, dModel]) };
}

function windowsShape(graph: OnnxGraph, { keys }: HeardAudio): Value {
  const shape = graph.op('Shape', [keys]);
  const windows = graph.op('Slice', [shape, graph.integers([0]), graph.integers([1])]);
  return graph.op('Concat', [windows, graph.integers([-1, 0])], { axis: { int: 0 } });
}

/** Projects the encoder's output to one layer's cross-attention keys and values. */
export function audioKeyValues(context: LayerContext, audio: Value, layer: string): KeyValues {
  const { graph, weights } = context;
  return graph.in('encoder_attn', () => ({
    keys: splitHeads(context, weights.linear(graph, audio, `${layer}.encoder_attn.k_proj`)),
    values: splitHeads(context, weights.linear(graph, audio, `${layer}.encoder_attn.v_proj`)),
  }));
}

/** `[batch, positions, dModel]` → `[batch, heads, positions, headSize]`. */
function splitHeads({ graph, heads }: LayerContext, x: Value): Value {
  const split = graph.op('Reshape', [x, graph.integers([0, 0, heads, -1])]);
  return graph.op('Transpose', [split], { perm: { ints: [0, 2, 1, 3] } });
}
