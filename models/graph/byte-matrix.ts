import type { OnnxGraph, Value } from './onnx-graph.ts';

const LARGEST = 127;
const ZERO_POINT = 128;
/** Scale of zeros alone. */
const SMALLEST_SCALE = 1e-30;

/** Activations in bytes: value = (byte − zero point) · scale of its row. */
export interface ByteRows {
  /** uint8 `[…, inputs]`: a processor's dot product of bytes wants one side unsigned. */
  readonly bytes: Value;
  /** uint8 []. */
  readonly zeroPoint: Value;
  /** float32 `[…, 1]`. */
  readonly scales: Value;
}

/** A matrix in bytes: value = byte · scale of its output. */
export interface ByteMatrix {
  /** int8 `[inputs, outputs]`. */
  readonly bytes: Value;
  /** float32 `[outputs]`. */
  readonly scales: Value;
}

/**
 * `x` float32 `[…, inputs]` in bytes, each row by its own largest value: what becomes of a row does
 * not depend on the others, so that a window's text does not depend on its batch.
 */
export function byteRows(graph: OnnxGraph, x: Value, inputs: number): ByteRows {
  const scales = scalesAlong(graph, x, -1);
  const perRow = graph.op('Reshape', [scales, graph.integers([-1])]);
  const zero = graph.bytes(Uint8Array.of(ZERO_POINT), [1], 'uint8');
  const zeros = graph.op('Expand', [zero, graph.op('Shape', [perRow])]);
  const rows = graph.op('Reshape', [x, graph.integers([-1, inputs])]);
  const bytes = graph.op('QuantizeLinear', [rows, perRow, zeros], { axis: { int: 0 } });
  return {
    bytes: graph.op('Reshape', [bytes, graph.op('Shape', [x])]),
    zeroPoint: graph.bytes(Uint8Array.of(ZERO_POINT), [], 'uint8'),
    scales,
  };
}

/**
 * `weight` float32 `[outputs, inputs]` in bytes, each output by its own largest value, as constant
 * nodes: folded once when the session loads.
 */
export function byteMatrix(graph: OnnxGraph, weight: Value, outputs: number): ByteMatrix {
  const columns = graph.op('Transpose', [weight], { perm: { ints: [1, 0] } });
  const scales = graph.op('Reshape', [scalesAlong(graph, columns, 0), graph.integers([-1])]);
  const zeros = graph.bytes(new Uint8Array(outputs), [outputs], 'int8');
  return {
    bytes: graph.op('QuantizeLinear', [columns, scales, zeros], { axis: { int: 1 } }),
    scales,
  };
}

/** `x · W` float32 `[…, outputs]`, summed exactly before it is scaled. */
export function byteProduct(graph: OnnxGraph, rows: ByteRows, matrix: ByteMatrix): Value {
  const inputs = [rows.bytes, matrix.bytes, graph.float(1), matrix.scales, rows.zeroPoint];
  return graph.op('Mul', [graph.op('MatMulIntegerToFloat', inputs), rows.scales]);
}

/** The step with which 127 reach the largest along `axis`, which stays as an axis of 1. */
function scalesAlong(graph: OnnxGraph, x: Value, axis: number): Value {
  const [highest, lowest] = ['ReduceMax', 'ReduceMin'].map((operator) =>
    graph.op(operator, [x, graph.integers([axis])], { keepdims: { int: 1 } }),
  );
  const largest = graph.op('Max', [highest!, graph.op('Neg', [lowest!])]);
  const steps = graph.op('Mul', [largest, graph.float(1 / LARGEST)]);
  return graph.op('Max', [steps, graph.float(SMALLEST_SCALE)]);
}
