import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';

/** A window's rows, its samples or beams, are next to each other. All sizes are int64 `[1]`. */
export function rowsOfWindows(
  graph: OnnxGraph,
  windows: Value,
  rowsPerWindow: Value,
): { readonly count: Value; readonly windowOfRow: Value } {
  const count = graph.op('Mul', [windows, rowsPerWindow]);
  return { count, windowOfRow: graph.op('Div', [range(graph, count), rowsPerWindow]) };
}

/** The rows of some windows (int64 `[chosen]`), int64 `[chosen · rows per window]`. */
export function rowsOf(graph: OnnxGraph, windows: Value, rowsPerWindow: Value): Value {
  const firsts = graph.op('Mul', [windows, rowsPerWindow]);
  const each = graph.op('Add', [
    graph.op('Unsqueeze', [firsts, graph.integers([1])]),
    graph.op('Unsqueeze', [range(graph, rowsPerWindow), graph.integers([0])]),
  ]);
  return graph.op('Reshape', [each, graph.integers([-1])]);
}

/** 0 … count − 1. */
function range(graph: OnnxGraph, count: Value): Value {
  return graph.op('Range', [
    graph.integers([0], []),
    graph.op('Squeeze', [count, graph.integers([0])]),
    graph.integers([1], []),
  ]);
}
