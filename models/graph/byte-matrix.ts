import type { OnnxGraph, Value } from './onnx-graph.ts';

const BYTE_MAX = 255;
const LARGEST = 127;
const SYMMETRIC_ZERO = 128;
/** Where the lowest value is known: enough below 0 for that of GELU beside rows that reach 1.6. */
const LOW_ZERO = 24;
/** Scale of zeros alone. */
const SMALLEST_SCALE = 1e-30;

/** What is known of activations before they are there. */
export interface ByteRange {
  /** No value is less. Where it is known, more steps are left for those above 0. */
  readonly lowest?: number;
}

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
export function byteRows(
  graph: OnnxGraph,
  x: Value,
  inputs: number,
  { lowest }: ByteRange = {},
): ByteRows {
  const zeroPoint = lowest === undefined ? SYMMETRIC_ZERO : LOW_ZERO;
  const scales =
    lowest === undefined
      ? scalesAlong(graph, x, -1)
      : graph.op('Max', [
          stepsTo(graph, highest(graph, x, -1), BYTE_MAX - LOW_ZERO),
          graph.float(-lowest / LOW_ZERO),
        ]);
  const perRow = graph.op('Reshape', [scales, graph.integers([-1])]);
  const zero = graph.bytes(Uint8Array.of(zeroPoint), [1], 'uint8');
  const zeros = graph.op('Expand', [zero, graph.op('Shape', [perRow])]);
  const rows = graph.op('Reshape', [x, graph.integers([-1, inputs])]);
  const bytes = graph.op('QuantizeLinear', [rows, perRow, zeros], { axis: { int: 0 } });
  return {
    bytes: graph.op('Reshape', [bytes, graph.op('Shape', [x])]),
    zeroPoint: graph.bytes(Uint8Array.of(zeroPoint), [], 'uint8'),
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
  const lowest = graph.op('ReduceMin', [x, graph.integers([axis])], { keepdims: { int: 1 } });
  const largest = graph.op('Max', [highest(graph, x, axis), graph.op('Neg', [lowest])]);
  return graph.op('Max', [stepsTo(graph, largest, LARGEST), graph.float(SMALLEST_SCALE)]);
}

const highest = (graph: OnnxGraph, x: Value, axis: number): Value =>
  graph.op('ReduceMax', [x, graph.integers([axis])], { keepdims: { int: 1 } });

const stepsTo = (graph: OnnxGraph, largest: Value, steps: number): Value =>
  graph.op('Mul', [largest, graph.float(1 / steps)]);
