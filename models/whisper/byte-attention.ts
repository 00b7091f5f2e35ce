import { elementTypeCode, type OnnxGraph, type Value } from '../graph/onnx-graph.ts';

/** One layer's cross-attention keys and values in 8 bits; H heads, S positions, D sizes of a head. */
export interface ByteKeyValues {
  /** int8 `[windows, H, D, S]`. */
  readonly keys: Value;
  /** float32 `[windows, H, 1, D]`: what a step of a key's byte is worth in a score. */
  readonly keyScales: Value;
  /** float32 `[windows, H, 1, S]`: what the query's zero point adds to a product with the bytes. */
  readonly keyOffsets: Value;
  /** int8 `[windows, H, S, D]`, as differences from the means. */
  readonly values: Value;
  /** float32 `[windows, H, 1, D]`. */
  readonly valueScales: Value;
  /** float32 `[windows, H, 1, D]`. */
  readonly valueMeans: Value;
}

/** Largest step of a signed byte; the query has as many on each side of its zero point. */
const SIGNED_STEPS = 127;
const ZERO_POINT = 128;
const UNSIGNED_STEPS = 255;
/** Keeps what does not vary from being divided by 0. */
const SMALLEST_SCALE = 1e-12;
const POSITIONS = 2;

/**
 * Keys and values in bytes, each channel of a head with a scale of its own. A step of a batch reads
 * them as a whole, far more than a cache holds: in float32 that reading is most of what it does.
 *
 * Both are `[windows, H, S, D]`. Keys lose the middle of their range: what is the same at all positions
 * changes no softmax. Values lose their mean, which stands for positions whose weight is rounded to 0.
 */
export function byteKeyValues(
  graph: OnnxGraph,
  { keys, values }: { readonly keys: Value; readonly values: Value },
  headSize: number,
): ByteKeyValues {
  return graph.in('bytes', () => {
    const axis = graph.integers([POSITIONS]);
    const [top, bottom] = [
      graph.op('ReduceMax', [keys, axis]),
      graph.op('ReduceMin', [keys, axis]),
    ];
    const middle = graph.op('Mul', [graph.op('Add', [top, bottom]), graph.float(0.5)]);
    const keyBytes = toBytes(graph, keys, middle, graph.op('Sub', [top, middle]));
    const bytes = graph.op('Transpose', [keyBytes.bytes], { perm: { ints: [0, 1, 3, 2] } });
    const zeroPoints = graph.bytes(new Uint8Array(headSize).fill(ZERO_POINT), [1, 1, 1, headSize]);
    const valueMeans = graph.op('ReduceMean', [values, axis]);
    const furthest = graph.op('Max', [
      graph.op('Sub', [graph.op('ReduceMax', [values, axis]), valueMeans]),
      graph.op('Sub', [valueMeans, graph.op('ReduceMin', [values, axis])]),
    ]);
    const valueBytes = toBytes(graph, values, valueMeans, furthest);
    return {
      keys: bytes,
      keyScales: graph.op('Mul', [keyBytes.scales, graph.float(1 / Math.sqrt(headSize))]),
      keyOffsets: cast(graph, graph.op('MatMulInteger', [zeroPoints, bytes]), 'float32'),
      values: valueBytes.bytes,
      valueScales: valueBytes.scales,
      valueMeans,
    };
  });
}

function toBytes(graph: OnnxGraph, x: Value, centre: Value, furthest: Value) {
  const scales = graph.op('Max', [
    graph.op('Mul', [furthest, graph.float(1 / SIGNED_STEPS)]),
    graph.float(SMALLEST_SCALE),
  ]);
  const steps = graph.op('Div', [graph.op('Sub', [x, centre]), scales]);
  return { scales, bytes: cast(graph, graph.op('Round', [steps]), 'int8') };
}

/**
 * Attention of `query` `[windows, positions, H · D]` to the audio; the same shape. Both products are of
 * unsigned with signed bytes without zero points: for one position ONNX Runtime then multiplies
 * without rearranging the keys first.
 */
export function byteAttention(
  graph: OnnxGraph,
  query: Value,
  kv: ByteKeyValues,
  heads: number,
): Value {
  const last = graph.integers([-1]);
  const split = graph.op('Reshape', [query, graph.integers([0, 0, heads, -1])]);
  const perHead = graph.op('Transpose', [split], { perm: { ints: [0, 2, 1, 3] } });
  const scaled = graph.op('Mul', [perHead, kv.keyScales]);
  const largest = graph.op('ReduceMax', [graph.op('Abs', [scaled]), last]);
  const scale = graph.op('Max', [
    graph.op('Mul', [largest, graph.float(1 / SIGNED_STEPS)]),
    graph.float(SMALLEST_SCALE),
  ]);
  const signed = graph.op('Round', [graph.op('Div', [scaled, scale])]);
  const asked = cast(graph, graph.op('Add', [signed, graph.float(ZERO_POINT)]), 'uint8');
  const products = cast(graph, graph.op('MatMulInteger', [asked, kv.keys]), 'float32');
  const scores = graph.op('Mul', [graph.op('Sub', [products, kv.keyOffsets]), scale]);
  const best = graph.op('ReduceMax', [scores, last]);
  const weights = graph.op('Mul', [
    graph.op('Exp', [graph.op('Sub', [scores, best])]),
    graph.float(UNSIGNED_STEPS),
  ]);
  const bytes = cast(graph, graph.op('Round', [weights]), 'uint8');
  const sum = graph.op('ReduceSum', [weights, last]);
  const mixed = cast(graph, graph.op('MatMulInteger', [bytes, kv.values]), 'float32');
  const varying = graph.op('Mul', [graph.op('Div', [mixed, sum]), kv.valueScales]);
  const answer = graph.op('Transpose', [graph.op('Add', [varying, kv.valueMeans])], {
    perm: { ints: [0, 2, 1, 3] },
  });
  return graph.op('Reshape', [answer, graph.integers([0, 0, -1])]);
}

const cast = (graph: OnnxGraph, x: Value, type: 'float32' | 'int8' | 'uint8'): Value =>
  graph.op('Cast', [x], { to: { int: elementTypeCode(type) } });
