import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import { maxNewTokens } from './row-prompt.ts';
import { FORBIDDEN } from './timestamp-rules.ts';

/** What a row has said so far, as the rules against repetition need it. */
export interface RepetitionState {
  /** int64 `[rows, history]`: newest first, any timestamp as the first one, −1 where nothing is. */
  readonly history: Value;
  /** float32 `[rows, history]`: how many of the latest tokens equal those 1, 2, 3 … tokens earlier. */
  readonly runs: Value;
}

/** The decode's inputs for these rules. */
export interface RepetitionInputs {
  /** float32 `[1, history]`: length of a run from which a row counts as looping, by its period. */
  readonly loopThresholds: Value;
  /** bool scalar: one of the two below applies. */
  readonly anyRules: Value;
  /** float32 scalar, 1 = none. */
  readonly penalty: Value;
  /** float32 scalar: tokens of an n-gram before its last, so large that nothing reaches it = none. */
  readonly ngramStart: Value;
}

export function repetitionInputs(
  graph: OnnxGraph,
  checkpoint: WhisperCheckpoint,
): RepetitionInputs {
  return {
    loopThresholds: graph.input('loop_thresholds', 'float32', [1, maxNewTokens(checkpoint)]),
    anyRules: graph.input('any_repetition_rules', 'bool', []),
    penalty: graph.input('repetition_penalty', 'float32', []),
    ngramStart: graph.input('ngram_start', 'float32', []),
  };
}

/** The state before the first of `rows` (int64 `[1]`) rows' tokens. */
export function noRepetition(
  graph: OnnxGraph,
  checkpoint: WhisperCheckpoint,
  rows: Value,
): RepetitionState {
  const shape = graph.op('Concat', [rows, graph.integers([maxNewTokens(checkpoint)])], {
    axis: { int: 0 },
  });
  return {
    history: graph.op('Expand', [graph.integers([-1]), shape]),
    runs: graph.op('Expand', [graph.floats([0], [1]), shape]),
  };
}

/**
 * The state after `token`, int64 `[rows, 1]`. A run of period p grows by one when the token equals
 * the one p tokens earlier and ends otherwise: a cycle is seen in a handful of small operations.
 */
export function advanceRepetition(
  graph: OnnxGraph,
  checkpoint: WhisperCheckpoint,
  { history, runs }: RepetitionState,
  token: Value,
): RepetitionState {
  const kind = graph.op('Min', [token, graph.integers([checkpoint.tokens.timestampsStart])]);
  const longer = graph.op('Add', [runs, graph.float(1)]);
  const repeats = graph.op('Equal', [history, kind]);
  const kept = graph.op('Slice', [
    history,
    graph.integers([0]),
    graph.integers([maxNewTokens(checkpoint) - 1]),
    graph.integers([1]),
  ]);
  return {
    history: graph.op('Concat', [kind, kept], { axis: { int: 1 } }),
    runs: graph.op('Where', [repeats, longer, graph.float(0)]),
  };
}

/** bool `[rows, 1]`: the row's last tokens are one cycle over and over. */
export function isLooping(
  graph: OnnxGraph,
  { loopThresholds }: RepetitionInputs,
  { runs }: RepetitionState,
): Value {
  const excess = graph.op('Sub', [runs, loopThresholds]);
  const most = graph.op('ReduceMax', [excess, graph.integers([1])]);
  return graph.op('GreaterOrEqual', [most, graph.float(0)]);
}

interface TypedOutput {
  readonly value: Value;
  readonly type: 'int64' | 'float32';
  readonly shape: readonly (number | string)[];
}

/**
 * What `build` makes of the text scores, with the rules against repetition where there are any.
 * Both ways are built, and what is returned is small: without rules nothing is copied or computed.
 */
export function withRepetitionRules(
  graph: OnnxGraph,
  context: { checkpoint: WhisperCheckpoint; inputs: RepetitionInputs; state: RepetitionState },
  text: Value,
  build: (branch: OnnxGraph, text: Value) => readonly TypedOutput[],
): Value[] {
  let count = 0;
  const branch = (name: string, score: (inner: OnnxGraph) => Value) => ({
    graph: graph.inner(name, (inner) => {
      const outputs = build(inner, score(inner));
      for (const [index, { value, type, shape }] of outputs.entries()) {
        inner.output(`${name}.${index}`, value, type, shape);
      }
      count = outputs.length;
    }),
  });
  const branches = {
    then_branch: branch('rules', (inner) => ruledText(inner, context, text)),
    else_branch: branch('no_rules', () => text),
  };
  return graph.ops('If', [context.inputs.anyRules], count, branches);
}

/**
 * Penalty of Keskar et al. 2019 (CTRL, section 4.1) as transformers applies it: a positive score of
 * a token said before is divided by it, a negative one multiplied. Then no token may complete an
 * n-gram for the second time. Only text that the row itself has said counts, not its prompt: names
 * to spell right would be punished. A timestamp counts as one word of an n-gram, never forbidden.
 */
function ruledText(
  graph: OnnxGraph,
  {
    checkpoint: { tokens },
    inputs: { penalty, ngramStart },
    state: { history, runs },
  }: { checkpoint: WhisperCheckpoint; inputs: RepetitionInputs; state: RepetitionState },
  text: Value,
): Value {
  const axis = { axis: { int: 1 } };
  const isText = graph.op('And', [
    graph.op('GreaterOrEqual', [history, graph.integers([0])]),
    graph.op('Less', [history, graph.integers([tokens.timestampsStart])]),
  ]);
  // Where there is nothing to change, a token is changed that is suppressed anyway.
  const other = graph.integers([tokens.startOfTranscript]);
  const said = graph.op('Where', [isText, history, other]);
  const scores = graph.op('GatherElements', [text, said], axis);
  const penalised = graph.op('Where', [
    graph.op('Less', [scores, graph.float(0)]),
    graph.op('Mul', [scores, penalty]),
    graph.op('Div', [scores, penalty]),
  ]);
  const fresh = graph.op('ScatterElements', [text, said, penalised], axis);
  const completes = graph.op('And', [isText, graph.op('GreaterOrEqual', [runs, ngramStart])]);
  const banned = graph.op('Where', [completes, history, other]);
  const forbidden = graph.op('Expand', [
    graph.floats([FORBIDDEN], [1]),
    graph.op('Shape', [banned]),
  ]);
  return graph.op('ScatterElements', [fresh, banned, forbidden], axis);
}
