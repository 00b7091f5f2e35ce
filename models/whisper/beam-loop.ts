import { elementTypeCode, type OnnxGraph, type Value } from '../graph/onnx-graph.ts';
import { type Grouping, type KeyValues, type Padding, stepGrouping } from './attention.ts';
import { beamCandidates } from './beam-candidates.ts';
import { type BeamInputs, BeamStep, type Beams, type Ended } from './beam-step.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import { tokenScores } from './decode-stage.ts';
import type { WhisperDecoder } from './decoder.ts';
import { pastInputs, presentOutputs } from './loop-key-values.ts';
import {
  advanceRepetition,
  isLooping,
  type RepetitionInputs,
  type RepetitionState,
} from './repetition-rules.ts';
import { TimestampRules, type TimestampState } from './timestamp-rules.ts';

/** Everything that the search carries from token to token; rows are beams, side by side by window. */
export interface BeamState {
  readonly beams: Beams;
  readonly ended: Ended;
  /** int64 `[rows, 1]`: the last token and its position in the decoder's table. */
  readonly token: Value;
  readonly position: Value;
  readonly rules: TimestampState;
  readonly repetition: RepetitionState;
  readonly past: readonly KeyValues[];
  readonly padding: Padding;
  readonly timestamps: Value;
  /** int64 `[rows, 1]`: a row whose token is there has said all that it may. */
  readonly lastPosition: Value;
}

export interface BeamLoopContext {
  readonly decoder: WhisperDecoder;
  readonly checkpoint: WhisperCheckpoint;
  readonly audio: readonly KeyValues[];
  /** float32 `[1, timestampsStart]`. */
  readonly textBias: Value;
  readonly repetition: RepetitionInputs;
  readonly inputs: BeamInputs;
}

interface BeamBodyContext extends BeamLoopContext {
  readonly grouping: Grouping;
}

type Shape = (number | string)[];
type Field = {
  readonly value: Value;
  readonly type: 'int64' | 'float32' | 'bool';
  readonly shape: Shape;
};

/** A Loop of `trips` (int64 scalar) steps at most, until every window is done: what has ended. */
export function beamLoop(
  graph: OnnxGraph,
  context: BeamLoopContext,
  first: BeamState,
  trips: Value,
): Ended {
  const state = Object.entries(fieldsOf(first));
  const keyValues = first.past.flatMap(({ keys, values }) => [keys, values]);
  const grouping = stepGrouping(graph, context.audio[0]!, context.checkpoint.dModel);
  const body = graph.inner('loop', (inner) => loopBody(inner, { ...context, grouping }, first));
  const outputs = graph.ops(
    'Loop',
    [trips, anyOpen(graph, first.ended), ...state.map(([, { value }]) => value), ...keyValues],
    state.length + keyValues.length,
    { body: { graph: body } },
  );
  const at = (name: string): Value => outputs[state.findIndex(([field]) => field === name)]!;
  return {
    tokens: at('ended_tokens'),
    logProbs: at('ended_log_probs'),
    rank: at('ended_rank'),
    count: at('ended_count'),
    done: at('done'),
  };
}

/** The state in the order of the Loop's inputs, without keys and values; names of sizes are per side. */
function fieldsOf({ beams, ended, token, position, rules, repetition }: BeamState, side = '') {
  const field = (value: Value, type: Field['type'], shape: Shape): Field => ({
    value,
    type,
    shape,
  });
  const said = `said${side}`;
  return {
    beam_tokens: field(beams.tokens, 'int64', ['rows', said]),
    beam_log_probs: field(beams.logProbs, 'float32', ['rows', said]),
    sums: field(beams.sums, 'float32', ['windows', 'beams']),
    ended_tokens: field(ended.tokens, 'int64', ['windows', said]),
    ended_log_probs: field(ended.logProbs, 'float32', ['windows', said]),
    ended_rank: field(ended.rank, 'float32', ['windows', 1]),
    ended_count: field(ended.count, 'float32', ['windows', 1]),
    done: field(ended.done, 'bool', ['windows', 1]),
    token: field(token, 'int64', ['rows', 1]),
    position: field(position, 'int64', ['rows', 1]),
    last_is_timestamp: field(rules.lastIs, 'bool', ['rows', 1]),
    previous_is_timestamp: field(rules.previousIs, 'bool', ['rows', 1]),
    latest_timestamp: field(rules.latest, 'int64', ['rows', 1]),
    history: field(repetition.history, 'int64', ['rows', 'history']),
    runs: field(repetition.runs, 'float32', ['rows', 'history']),
  };
}

function loopBody(graph: OnnxGraph, context: BeamBodyContext, first: BeamState): void {
  const step = graph.input('step', 'int64', []);
  graph.input('unfinished', 'bool', []);
  const fields = fieldsOf(first);
  for (const [name, { type, shape }] of Object.entries(fields)) graph.input(name, type, shape);
  const past = pastInputs(graph, context);
  const state: BeamState = {
    ...first,
    past,
    beams: { tokens: 'beam_tokens', logProbs: 'beam_log_probs', sums: 'sums' },
    ended: {
      tokens: 'ended_tokens',
      logProbs: 'ended_log_probs',
      rank: 'ended_rank',
      count: 'ended_count',
      done: 'done',
    },
    token: 'token',
    position: 'position',
    rules: {
      lastIs: 'last_is_timestamp',
      previousIs: 'previous_is_timestamp',
      latest: 'latest_timestamp',
    },
    repetition: { history: 'history', runs: 'runs' },
  };
  const next = nextState(graph, context, state, step);
  graph.output('next_unfinished', anyOpen(graph, next.ended), 'bool', []);
  for (const [name, { value, type, shape }] of Object.entries(fieldsOf(next, '_next'))) {
    graph.output(`next_${name}`, value, type, shape);
  }
  presentOutputs(graph, context, next.past);
}

function nextState(
  graph: OnnxGraph,
  context: BeamBodyContext,
  state: BeamState,
  step: Value,
): BeamState {
  const { decoder, checkpoint, audio, inputs, grouping } = context;
  const { timestamps, padding, position, past } = state;
  const one = graph.integers([1]);
  const pass = decoder.pass(graph, {
    ids: state.token,
    positions: position,
    past,
    audio,
    padding,
    grouping,
  });
  const scores = tokenScores(graph, context, graph.op('Squeeze', [pass.hidden, one]));
  const rules = new TimestampRules(graph, checkpoint, timestamps);
  const candidates = beamCandidates(
    graph,
    { ...context, beams: inputs.beams },
    rules.next(scores, state.rules),
    state,
  );
  const search = new BeamStep(graph, context, {
    widthBefore: inputs.beams,
    before: state.beams,
    candidates,
  });
  const next = search.extend();
  // Beams of one window have padding, limits and settings in common: only what they said moves.
  const moved = (value: Value): Value => graph.op('Gather', [value, next.source]);
  const repetition = advanceRepetition(
    graph,
    checkpoint,
    { history: moved(state.repetition.history), runs: moved(state.repetition.runs) },
    next.token,
  );
  const nextPosition = graph.op('Min', [graph.op('Add', [position, one]), state.lastPosition]);
  const atLimit = graph.op('GreaterOrEqual', [nextPosition, state.lastPosition]);
  const loops = isLooping(graph, context.repetition, repetition);
  const mustStop = ofBestBeam(graph, graph.op('Or', [atLimit, loops]), next.sums);
  const said = graph.op('Add', [step, graph.integers([1], [])]);
  return {
    ...state,
    beams: next,
    ended: search.end(state.ended, next, { said, mustStop }),
    token: next.token,
    position: nextPosition,
    rules: rules.advance(next.token, {
      lastIs: moved(state.rules.lastIs),
      previousIs: moved(state.rules.previousIs),
      latest: moved(state.rules.latest),
    }),
    repetition,
    past: pass.present.map(({ keys, values }) => ({ keys: moved(keys), values: moved(values) })),
  };
}

/** bool `[rows, 1]` → `[windows, 1]`: what is so of each window's first row. */
function ofBestBeam(graph: OnnxGraph, perRow: Value, sums: Value): Value {
  const perWindow = graph.op('Reshape', [perRow, graph.op('Shape', [sums])]);
  return graph.op('Gather', [perWindow, graph.integers([0])], { axis: { int: 1 } });
}

/** bool scalar. */
function anyOpen(graph: OnnxGraph, { done }: Ended): Value {
  const open = graph.op('Cast', [graph.op('Not', [done])], {
    to: { int: elementTypeCode('float32') },
  });
  const most = graph.op('ReduceMax', [open], { keepdims: { int: 0 } });
  return graph.op('Greater', [most, graph.float(0)]);
}
