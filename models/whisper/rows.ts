import { elementTypeCode, type OnnxGraph, type Value } from '../graph/onnx-graph.ts';
import type { HeardAudio, KeyValues, Padding } from './attention.ts';
import type { RepetitionState } from './repetition-rules.ts';
import type { TimestampState } from './timestamp-rules.ts';

/** Everything that a row of the batch carries from token to token; the first axis is the row. */
export interface Rows {
  /** int64 `[rows]`: their places in the whole batch. */
  readonly places: Value;
  /** int64 `[rows, 1]`: the last token. */
  readonly token: Value;
  /** int64 `[rows, 1]`: its position in the decoder's table. */
  readonly position: Value;
  /** bool `[rows, 1]`. */
  readonly finished: Value;
  readonly rules: TimestampState;
  readonly repetition: RepetitionState;
  readonly past: readonly KeyValues[];
  /** Per window; a window's rows are next to each other. */
  readonly audio: readonly HeardAudio[];
  readonly padding: Padding;
  /** int64 `[rows, 1]`: a row whose token is there has said all that it may. */
  readonly lastPosition: Value;
  readonly timestamps: Value;
  readonly temperature: Value;
  /** float32 `[max_tokens, rows, 1]`. */
  readonly uniforms: Value;
}

/** How rows and windows go together. */
export interface WindowRows {
  /** int64 `[1]`: samples or beams of a window. */
  readonly rowsPerWindow: Value;
  /** int64 `[2]`: −1 and the same, for a Reshape of `[rows, 1]`; see `windowShapeOf`. */
  readonly windowShape: Value;
}

/**
 * `[−1, rows per window]` from the sizes of two tensors. What is computed from sizes alone stays on
 * the CPU, where Reshape reads it: made of an input of the graph, each step would copy it from the GPU.
 */
export function windowShapeOf(graph: OnnxGraph, perRow: Value, windows: Value): Value {
  const rows = graph.op('Gather', [graph.op('Shape', [perRow]), graph.integers([0])]);
  const each = graph.op('Div', [rows, windows]);
  return graph.op('Concat', [graph.integers([-1]), each], { axis: { int: 0 } });
}

/** A window's rows, its samples or beams, are next to each other. All sizes are int64 `[1]`. */
export function rowsOfWindows(
  graph: OnnxGraph,
  windows: Value,
  rowsPerWindow: Value,
): { readonly count: Value; readonly windowOfRow: Value } {
  const count = graph.op('Mul', [windows, rowsPerWindow]);
  return { count, windowOfRow: graph.op('Div', [range(graph, count), rowsPerWindow]) };
}

/** The rows of windows that have not ended, gathered into a batch of their own. */
export function unfinishedRows(
  graph: OnnxGraph,
  { rowsPerWindow, windowShape }: WindowRows,
  rows: Rows,
): Rows {
  const open = openWindows(graph, windowShape, rows.finished);
  const flat = graph.op('Reshape', [open, graph.integers([-1])]);
  const windows = graph.op('Squeeze', [graph.op('NonZero', [flat]), graph.integers([0])]);
  const indices = rowsOf(graph, windows, rowsPerWindow);
  const take = (value: Value, axis = 0): Value =>
    graph.op('Gather', [value, indices], { axis: { int: axis } });
  const ofWindows = (value: Value): Value => graph.op('Gather', [value, windows]);
  return {
    places: take(rows.places),
    token: take(rows.token),
    position: take(rows.position),
    finished: take(rows.finished),
    rules: {
      lastIs: take(rows.rules.lastIs),
      previousIs: take(rows.rules.previousIs),
      latest: take(rows.rules.latest),
    },
    repetition: { history: take(rows.repetition.history), runs: take(rows.repetition.runs) },
    past: rows.past.map(({ keys, values }) => ({ keys: take(keys), values: take(values) })),
    audio: rows.audio.map((layer) => mapValues(layer, ofWindows)),
    padding: { any: rows.padding.any, bias: take(rows.padding.bias) },
    lastPosition: take(rows.lastPosition),
    timestamps: take(rows.timestamps),
    temperature: take(rows.temperature),
    uniforms: take(rows.uniforms, 1),
  };
}

function mapValues(audio: HeardAudio, take: (value: Value) => Value): HeardAudio {
  const { keys, values } = audio;
  const taken = { keys: take(keys), values: take(values) };
  if (!('keyScales' in audio)) return taken;
  const { keyScales, keyOffsets, valueScales, valueMeans } = audio;
  return {
    ...taken,
    keyScales: take(keyScales),
    keyOffsets: take(keyOffsets),
    valueScales: take(valueScales),
    valueMeans: take(valueMeans),
  };
}

/** float32 `[windows, 1]`: 1 where a row of the window goes on. */
export function openWindows(graph: OnnxGraph, windowShape: Value, finished: Value): Value {
  const open = graph.op('Cast', [graph.op('Not', [finished])], {
    to: { int: elementTypeCode('float32') },
  });
  return graph.op('ReduceMax', [graph.op('Reshape', [open, windowShape]), graph.integers([1])]);
}

/** The rows of some windows (int64 `[chosen]`), int64 `[chosen · rows per window]`. */
function rowsOf(graph: OnnxGraph, windows: Value, rowsPerWindow: Value): Value {
  const firsts = graph.op('Mul', [windows, rowsPerWindow]);
  const each = graph.op('Add', [
    graph.op('Unsqueeze', [firsts, graph.integers([1])]),
    graph.op('Unsqueeze', [range(graph, rowsPerWindow), graph.integers([0])]),
  ]);
  return graph.op('Reshape', [each, graph.integers([-1])]);
}

/** 0 … count − 1. */
export function range(graph: OnnxGraph, count: Value): Value {
  return graph.op('Range', [
    graph.integers([0], []),
    graph.op('Squeeze', [count, graph.integers([0])]),
    graph.integers([1], []),
  ]);
}
