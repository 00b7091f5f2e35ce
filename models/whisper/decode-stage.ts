import { elementTypeCode, type OnnxGraph, type Value } from '../graph/onnx-graph.ts';
import { type Grouping, stepGrouping } from './attention.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import type { WhisperDecoder } from './decoder.ts';
import { pastInputs, presentOutputs } from './loop-key-values.ts';
import {
  advanceRepetition,
  isLooping,
  type RepetitionInputs,
  type RepetitionState,
  withRepetitionRules,
} from './repetition-rules.ts';
import { openWindows, type Rows, type WindowRows } from './rows.ts';
import { type RuledScores, type Scores, TimestampRules } from './timestamp-rules.ts';
import { type Pick, type PickOptions, pickToken } from './token-picker.ts';

/** What does not depend on the row. */
export interface StageContext extends WindowRows {
  readonly decoder: WhisperDecoder;
  readonly checkpoint: WhisperCheckpoint;
  /** float32 `[1, timestampsStart]`. */
  readonly textBias: Value;
  readonly anySampling: Value;
  readonly repetition: RepetitionInputs;
}

export interface StageStart {
  readonly rows: Rows;
  /** int64 scalar: tokens that every row has had. */
  readonly done: Value;
  /** int64 scalar: most tokens that this stage may add. */
  readonly trips: Value;
}

export interface StageEnd extends Omit<StageStart, 'trips'> {
  /** int64 and float32 `[steps, rows, 1]`: what this stage added. */
  readonly tokens: Value;
  readonly logProbs: Value;
}

/**
 * A Loop that adds one token to every row per step. It ends when all windows have ended, or, with
 * `untilHalf`, when at least half of them have: the rest is cheaper as a smaller batch.
 */
export function decodeStage(
  graph: OnnxGraph,
  context: StageContext,
  start: StageStart,
  untilHalf: boolean,
): StageEnd {
  return new DecodeStage(context, start, untilHalf).build(graph);
}

class DecodeStage {
  readonly #context: StageContext;
  readonly #start: StageStart;
  readonly #untilHalf: boolean;

  constructor(context: StageContext, start: StageStart, untilHalf: boolean) {
    this.#context = context;
    this.#start = start;
    this.#untilHalf = untilHalf;
  }

  build(graph: OnnxGraph): StageEnd {
    const { rows, trips, done } = this.#start;
    const { dModel } = this.#context.checkpoint;
    const grouping = stepGrouping(graph, rows.audio[0]!, dModel);
    const body = graph.inner('loop', (inner) => this.#body(inner, grouping));
    const { lastIs, previousIs, latest } = rows.rules;
    const { history, runs } = rows.repetition;
    const { token, position, finished } = rows;
    const state = [token, position, finished, lastIs, previousIs, latest, history, runs];
    const keyValues = rows.past.flatMap(({ keys, values }) => [keys, values]);
    const goesOn = this.#begins(graph, finished);
    const outputs = graph.ops(
      'Loop',
      [trips, goesOn, ...state, ...keyValues],
      state.length + keyValues.length + 2,
      { body: { graph: body } },
    );
    const at = (index: number): Value => outputs.at(index)!;
    const past = rows.past.map((_, layer) => ({
      keys: at(state.length + 2 * layer),
      values: at(state.length + 2 * layer + 1),
    }));
    const tokens = at(-2);
    return {
      tokens,
      logProbs: at(-1),
      done: graph.op('Add', [done, axisLength(graph, tokens)]),
      rows: {
        ...rows,
        past,
        token: at(0),
        position: at(1),
        finished: at(2),
        rules: { lastIs: at(3), previousIs: at(4), latest: at(5) },
        repetition: { history: at(6), runs: at(7) },
      },
    };
  }

  /** Rows that have ended repeat end of text at no cost in log-probability. */
  #body(graph: OnnxGraph, grouping: Grouping): void {
    const { decoder, checkpoint } = this.#context;
    const { rows, done } = this.#start;
    const step = graph.input('step', 'int64', []);
    graph.input('unfinished', 'bool', []);
    const token = graph.input('token', 'int64', ['rows', 1]);
    const position = graph.input('position', 'int64', ['rows', 1]);
    const finished = graph.input('finished', 'bool', ['rows', 1]);
    const rules = {
      lastIs: graph.input('last_is_timestamp', 'bool', ['rows', 1]),
      previousIs: graph.input('previous_is_timestamp', 'bool', ['rows', 1]),
      latest: graph.input('latest_timestamp', 'int64', ['rows', 1]),
    };
    const repetition = {
      history: graph.input('history', 'int64', ['rows', 'history']),
      runs: graph.input('runs', 'float32', ['rows', 'history']),
    };
    const past = pastInputs(graph, this.#context);
    const { audio, padding, timestamps, temperature } = rows;
    const inputs = { ids: token, positions: position, past, audio, padding, grouping };
    const pass = decoder.pass(graph, inputs);
    const one = graph.integers([1]);
    const scores = tokenScores(graph, this.#context, graph.op('Squeeze', [pass.hidden, one]));
    const timestampRules = new TimestampRules(graph, checkpoint, timestamps);
    const uniform = graph.op('Gather', [rows.uniforms, graph.op('Add', [step, done])]);
    const { anySampling } = this.#context;
    const pick = pickUnderRules(graph, this.#context, timestampRules.next(scores, rules), {
      timestamps,
      repetition,
      options: { temperature, anySampling, uniform },
    });
    const end = graph.integers([checkpoint.tokens.endOfText]);
    const next = graph.op('Where', [finished, end, pick.token]);
    const logProb = graph.op('Where', [finished, graph.float(0), pick.logProb]);
    const nextRules = timestampRules.advance(next, rules);
    const nextRepetition = advanceRepetition(graph, checkpoint, repetition, next);
    // A row that has ended stays within the table, however long the others go on.
    const open = graph.op('Cast', [graph.op('Not', [finished])], {
      to: { int: elementTypeCode('int64') },
    });
    const nextPosition = graph.op('Add', [position, open]);
    const isOver = [
      graph.op('Equal', [next, end]),
      graph.op('GreaterOrEqual', [nextPosition, rows.lastPosition]),
      isLooping(graph, this.#context.repetition, nextRepetition),
    ];
    const nowFinished = isOver.reduce((any, one) => graph.op('Or', [any, one]), finished);

    graph.output('next_unfinished', this.#goesOn(graph, nowFinished), 'bool', []);
    graph.output('next_token', next, 'int64', ['rows', 1]);
    graph.output('next_position', nextPosition, 'int64', ['rows', 1]);
    graph.output('next_finished', nowFinished, 'bool', ['rows', 1]);
    graph.output('next_last_is_timestamp', nextRules.lastIs, 'bool', ['rows', 1]);
    graph.output('next_previous_is_timestamp', nextRules.previousIs, 'bool', ['rows', 1]);
    graph.output('next_latest_timestamp', nextRules.latest, 'int64', ['rows', 1]);
    graph.output('next_history', nextRepetition.history, 'int64', ['rows', 'history']);
    graph.output('next_runs', nextRepetition.runs, 'float32', ['rows', 'history']);
    presentOutputs(graph, this.#context, pass.present);
    graph.output('picked_token', next, 'int64', ['rows', 1]);
    graph.output('picked_log_prob', logProb, 'float32', ['rows', 1]);
  }

  /** bool scalar, as `#goesOn`, also of no rows at all: CUDA takes no mean of nothing. */
  #begins(graph: OnnxGraph, finished: Value): Value {
    const open = openWindows(graph, this.#context.windowShape, finished);
    const counted = graph.op('Concat', [open, graph.floats([0], [1, 1])], { axis: { int: 0 } });
    const windows = graph.op('Cast', [axisLength(graph, open)], {
      to: { int: elementTypeCode('float32') },
    });
    return graph.op('Greater', [
      graph.op('ReduceSum', [counted], { keepdims: { int: 0 } }),
      graph.op('Mul', [windows, graph.float(this.#untilHalf ? 0.5001 : 0)]),
    ]);
  }

  /** bool scalar: enough windows are left for another step of this stage. */
  #goesOn(graph: OnnxGraph, finished: Value): Value {
    const open = graph.op('ReduceMean', [openWindows(graph, this.#context.windowShape, finished)], {
      keepdims: { int: 0 },
    });
    // A hair above a half: the mean is rounded.
    return graph.op('Greater', [open, graph.float(this.#untilHalf ? 0.5001 : 0)]);
  }
}

export function tokenScores(
  graph: OnnxGraph,
  { decoder, checkpoint, textBias }: Omit<StageContext, 'anySampling' | keyof WindowRows>,
  hidden: Value,
): Scores {
  const { tokens, vocabularySize } = checkpoint;
  const text = decoder.logits(graph, hidden, [0, tokens.timestampsStart]);
  return {
    text: graph.op('Add', [text, textBias]),
    timestamp: decoder.logits(graph, hidden, [tokens.timestampsStart, vocabularySize]),
  };
}

/** The next token of every row. */
export function pickUnderRules(
  graph: OnnxGraph,
  { checkpoint, repetition: inputs }: StageContext,
  ruled: RuledScores,
  row: { timestamps: Value; repetition: RepetitionState; options: PickOptions },
): Pick {
  const context = { checkpoint, inputs, state: row.repetition };
  const [token, logProb] = withRepetitionRules(graph, context, ruled.text, (branch, text) => {
    const rules = new TimestampRules(branch, checkpoint, row.timestamps);
    const scores = { ...ruled, text };
    const { tokens, vocabularySize } = checkpoint;
    const pick = pickToken(branch, { tokens, vocabularySize, rules, scores }, row.options);
    return [
      { value: pick.token, type: 'int64', shape: ['rows', 1] },
      { value: pick.logProb, type: 'float32', shape: ['rows', 1] },
    ];
  });
  return { token: token!, logProb: logProb! };
}

/** int64 scalar: length of the first axis. */
function axisLength(graph: OnnxGraph, value: Value): Value {
  return graph.op('Gather', [graph.op('Shape', [value]), graph.integers([0], [])]);
}
