import type { Value } from '../graph/onnx-graph.ts';
import { cast } from './cast.ts';
import type { NetworkContext } from './feature-extractor.ts';

/** What a masked key's score is lowered by; float16 holds it. */
const MASKED = -30_000;

/**
 * `x` `[batch, frames, hidden]` → the same, in both orders of normalisation. Frames where `mask`
 * (bool `[batch, frames]`) is false are set to 0 and not attended to.
 */
export function transformer(context: NetworkContext, x: Value, mask: Value): Value {
  const { graph, weights, checkpoint } = context;
  const encoder = `${checkpoint.prefix}encoder`;
  return graph.in('encoder', () => {
    const isValid = cast(graph, mask, weights.computeType);
    const masked = graph.op('Mul', [x, graph.op('Unsqueeze', [isValid, graph.integers([2])])]);
    const bias = attentionBias(context, isValid);
    let hidden = graph.op('Add', [masked, positionalConvolution(context, masked)]);
    if (!checkpoint.normFirst) hidden = layerNorm(context, hidden, `${encoder}.layer_norm`);
    for (let layer = 0; layer < checkpoint.layers; layer++) {
      const name = `${encoder}.layers.${layer}`;
      hidden = graph.in(`layers.${layer}`, () => transformerLayer(context, hidden, name, bias));
    }
    return checkpoint.normFirst ? layerNorm(context, hidden, `${encoder}.layer_norm`) : hidden;
  });
}

export function layerNorm(
  { graph, weights, checkpoint }: NetworkContext,
  x: Value,
  name: string,
): Value {
  const parts = [weights.tensor(graph, `${name}.weight`), weights.tensor(graph, `${name}.bias`)];
  return graph.op('LayerNormalization', [x, ...parts], {
    axis: { int: -1 },
    epsilon: { float: checkpoint.layerNormEpsilon },
  });
}

/** 0 for frames, a large negative number for padding, `[batch, 1, frames, frames]`. */
function attentionBias({ graph, weights }: NetworkContext, isValid: Value): Value {
  const constant = (value: number): Value => cast(graph, graph.float(value), weights.computeType);
  const padding = graph.op('Sub', [constant(1), isValid]);
  const row = graph.op('Mul', [padding, constant(MASKED)]);
  const keys = graph.op('Unsqueeze', [row, graph.integers([1, 2])]);
  const one = graph.integers([1]);
  const frames = graph.op('Gather', [graph.op('Shape', [isValid]), one]);
  const shape = graph.op('Concat', [one, one, frames, one], { axis: { int: 0 } });
  return graph.op('Expand', [keys, shape]);
}

function transformerLayer(context: NetworkContext, x: Value, name: string, bias: Value): Value {
  const { graph, checkpoint } = context;
  const norm = (value: Value, part: string): Value => layerNorm(context, value, `${name}.${part}`);
  if (checkpoint.normFirst) {
    const attended = attention(context, norm(x, 'layer_norm'), name, bias);
    const y = graph.op('Add', [x, attended]);
    return graph.op('Add', [y, feedForward(context, norm(y, 'final_layer_norm'), name)]);
  }
  const y = norm(graph.op('Add', [x, attention(context, x, name, bias)]), 'layer_norm');
  return norm(graph.op('Add', [y, feedForward(context, y, name)]), 'final_layer_norm');
}

function attention(context: NetworkContext, x: Value, name: string, bias: Value): Value {
  const { graph, weights, checkpoint } = context;
  return graph.in('attention', () => {
    const projected = ['q_proj', 'k_proj', 'v_proj'].map((part) =>
      weights.linear(graph, x, `${name}.attention.${part}`),
    );
    const attended = graph.op('MultiHeadAttention', [...projected, '', '', bias], {
      num_heads: { int: checkpoint.heads },
    });
    return weights.linear(graph, attended, `${name}.attention.out_proj`);
  });
}

function feedForward({ graph, weights }: NetworkContext, x: Value, name: string): Value {
  return graph.in('feed_forward', () => {
    const inner = weights.linear(graph, x, `${name}.feed_forward.intermediate_dense`);
    const activated = graph.op('Gelu', [inner]);
    return weights.linear(graph, activated, `${name}.feed_forward.output_dense`);
  });
}

/** A grouped convolution over time with GELU; an even kernel's surplus last frame is dropped. */
function positionalConvolution(context: NetworkContext, x: Value): Value {
  const { graph, weights, checkpoint } = context;
  const { positionalKernel: kernel, positionalGroups: groups } = checkpoint;
  return graph.in('pos_conv_embed', () => {
    const name = `${checkpoint.prefix}encoder.pos_conv_embed.conv`;
    const swap = { perm: { ints: [0, 2, 1] } };
    const before = Math.floor(kernel / 2);
    const convolved = graph.op(
      'Conv',
      [
        graph.op('Transpose', [x], swap),
        positionalWeight(context, name),
        weights.tensor(graph, `${name}.bias`),
      ],
      {
        kernel_shape: { ints: [kernel] },
        pads: { ints: [before, kernel % 2 === 0 ? before - 1 : before] },
        group: { int: groups },
      },
    );
    return graph.op('Transpose', [graph.op('Gelu', [convolved])], swap);
  });
}

/** The norm's two storage forms: gain `[1, 1, kernel]` and direction `[out, in, kernel]`. */
const WEIGHT_NORM_FORMS = [
  ['weight_g', 'weight_v'],
  ['parametrizations.weight.original0', 'parametrizations.weight.original1'],
] as const;

/** `g · v / ‖v‖` with the norm over all but the last axis: folded once when the session loads. */
function positionalWeight({ graph, weights }: NetworkContext, name: string): Value {
  const form = WEIGHT_NORM_FORMS.find(([gain]) => weights.has(`${name}.${gain}`));
  if (form === undefined) return weights.tensor(graph, `${name}.weight`);
  return graph.once(`${name}.normed`, (outer) => {
    const [gain, direction] = form.map((part) =>
      cast(outer, weights.tensor(outer, `${name}.${part}`), 'float32'),
    );
    const norm = outer.op('ReduceL2', [direction!, outer.integers([0, 1])], {
      keepdims: { int: 1 },
    });
    const normed = outer.op('Mul', [direction!, outer.op('Div', [gain!, norm])]);
    return cast(outer, normed, weights.computeType);
  });
}
