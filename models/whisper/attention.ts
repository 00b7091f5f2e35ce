import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';

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

/** Causal self-attention of new positions over `past` and themselves, with residual. */
export function decoderSelfAttention(
  context: LayerContext,
  x: Value,
  layer: string,
  past: KeyValues,
): { readonly output: Value; readonly present: KeyValues } {
  const { graph, weights, heads } = context;
  return graph.in('self_attn', () => {
    const normed = layerNorm(context, x, `${layer}.self_attn_layer_norm`);
    const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map((name) =>
      weights.linear(graph, normed, `${layer}.self_attn.${name}`),
    );
    const [attended, keys, values] = graph.ops(
      'MultiHeadAttention',
      [query!, key!, value!, '', '', '', past.keys, past.values],
      3,
      { num_heads: { int: heads }, unidirectional: { int: 1 } },
    );
    const projected = weights.linear(graph, attended!, `${layer}.self_attn.out_proj`);
    return {
      output: graph.op('Add', [x, projected]),
      present: { keys: keys!, values: values! },
    };
  });
}

/** Attention of new positions to the audio, with residual; `audio` is made once per window. */
export function crossAttention(
  context: LayerContext,
  x: Value,
  layer: string,
  audio: KeyValues,
): Value {
  const { graph, weights, heads } = context;
  return graph.in('encoder_attn', () => {
    const normed = layerNorm(context, x, `${layer}.encoder_attn_layer_norm`);
    const query = weights.linear(graph, normed, `${layer}.encoder_attn.q_proj`);
    const attended = graph.op('MultiHeadAttention', [query, audio.keys, audio.values], {
      num_heads: { int: heads },
    });
    return graph.op('Add', [x, weights.linear(graph, attended, `${layer}.encoder_attn.out_proj`)]);
  });
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
