import { elementTypeCode, type OnnxGraph, type Value } from '../graph/onnx-graph.ts';
import type { AlignmentPass } from './alignment-pass.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import { medianFilter } from './median-filter.ts';

interface RowLengths {
  /** int64 `[batch]`: text tokens. */
  readonly lengths: Value;
  /** int64 `[batch, 1, 1]`: mel frames that hold audio. */
  readonly audioFrames: Value;
}

/** A position of the encoder's output covers two mel frames. */
const FRAMES_PER_POSITION = 2;
/** What the median filter needs to mirror three neighbours of an edge. */
const MIN_POSITIONS = 4;
/** Keeps 0 / 0 from being NaN where no token attends at all. */
const SMALLEST_DEVIATION = 1e-30;

/**
 * `[batch, 1 + longest text, 1500]`, see `attentionGraph`. A Loop over the rows, each in its own
 * length: nothing needs a mask, and only one row's heads are in memory.
 */
export function normalizedAttention(
  graph: OnnxGraph,
  checkpoint: WhisperCheckpoint,
  inputs: AlignmentPass & RowLengths,
): Value {
  const longest = graph.op('ReduceMax', [inputs.lengths, graph.integers([0])]);
  const rows = graph.op('Shape', [inputs.lengths]);
  const body = graph.inner('rows', (inner) => {
    const row = inner.input('row', 'int64', []);
    inner.input('row_wanted', 'bool', []);
    const weights = oneRow(inner, checkpoint, { ...inputs, row, longest });
    inner.output('row_goes_on', inner.booleans([true], []), 'bool', []);
    const shape = ['text_positions', 'audio_positions'];
    inner.output('row_attention', weights, 'float32', shape);
  });
  const trips = graph.op('Squeeze', [rows, graph.integers([0])]);
  return graph.op('Loop', [trips, ''], { body: { graph: body } });
}

function oneRow(
  graph: OnnxGraph,
  checkpoint: WhisperCheckpoint,
  inputs: AlignmentPass & RowLengths & { readonly row: Value; readonly longest: Value },
): Value {
  const { audioPositions, tokens, dModel, decoderHeads } = checkpoint;
  /** Start of transcript, language and task if there are any; no timestamps follows. */
  const startLength = tokens.isMultilingual ? 3 : 1;
  const of = (value: Value): Value => graph.op('Gather', [value, inputs.row]);
  const one = graph.integers([1]);
  const textLength = graph.op('Reshape', [of(inputs.lengths), one]);
  const textEnd = graph.op('Add', [textLength, graph.integers([startLength + 1])]);
  const positions = audioPositionsOf(graph, of(inputs.audioFrames), audioPositions);
  const upTo = (value: Value, end: Value): Value =>
    graph.op('Slice', [value, graph.integers([0]), end, one]);
  const scores = graph.op(
    'FusedMatMul',
    [upTo(of(inputs.queries), graph.op('Add', [textEnd, one])), upTo(of(inputs.keys), positions)],
    { transB: { int: 1 }, alpha: { float: (dModel / decoderHeads) ** -0.5 } },
  );
  const float = graph.op('Cast', [scores], { to: { int: elementTypeCode('float32') } });
  const attention = graph.op('Softmax', [float], { axis: { int: -1 } });
  const filtered = medianFilter(graph, standardized(graph, attention));
  const mean = graph.op('ReduceMean', [filtered, graph.integers([0])], { keepdims: { int: 0 } });
  const kept = graph.op('Slice', [
    mean,
    graph.integers([startLength]),
    textEnd,
    graph.integers([0]),
  ]);
  const missing = [
    graph.op('Sub', [inputs.longest, textLength]),
    graph.op('Sub', [graph.integers([audioPositions]), positions]),
  ];
  const pads = graph.op('Concat', [graph.integers([0, 0]), ...missing], { axis: { int: 0 } });
  return graph.op('Pad', [kept, pads]);
}

/** int64 `[1]`. */
function audioPositionsOf(graph: OnnxGraph, frames: Value, most: number): Value {
  const positions = graph.op('Div', [
    graph.op('Reshape', [frames, graph.integers([1])]),
    graph.integers([FRAMES_PER_POSITION]),
  ]);
  const bounded = graph.op('Min', [positions, graph.integers([most])]);
  return graph.op('Max', [bounded, graph.integers([MIN_POSITIONS])]);
}

/** Mean 0 and deviation 1 over the tokens, for every head and audio position. */
function standardized(graph: OnnxGraph, x: Value): Value {
  const tokens = graph.integers([1]);
  const centred = graph.op('Sub', [x, graph.op('ReduceMean', [x, tokens])]);
  const variance = graph.op('ReduceMean', [graph.op('Mul', [centred, centred]), tokens]);
  const deviation = graph.op('Max', [
    graph.op('Sqrt', [variance]),
    graph.float(SMALLEST_DEVIATION),
  ]);
  return graph.op('Div', [centred, deviation]);
}
