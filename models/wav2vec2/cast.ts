import { elementTypeCode, type OnnxGraph, type Value } from '../graph/onnx-graph.ts';

/** `x` in another type; of the same type, the node is dropped when the session loads. */
export const cast = (graph: OnnxGraph, x: Value, to: 'float32' | 'float16'): Value =>
  graph.op('Cast', [x], { to: { int: elementTypeCode(to) } });
