import { elementTypeCode, type OnnxGraph, type Value } from '../graph/onnx-graph.ts';
import type { KeyValues } from './attention.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import type { WhisperDecoder } from './decoder.ts';
import { type PickOptions, type Scores, type TimestampState, TokenPicker } from './token-picker.ts';

/** Everything that a row of the batch carries from token to token; the first axis is the row. */
export interface Rows {
  /** int64 `[rows]`: their places in the whole batch. */
  readonly places: Value;
  /** int64 `[rows, 1]`: the last token. */
  readonly token: Value;
  /** bool `[rows, 1]`. */
  readonly finished: Value;
  readonly rules: TimestampState;
  readonly past: readonly KeyValues[];
  readonly audio: readonly KeyValues[];
  readonly timestamps: Value;
  readonly temperature: Value;
  /** float32 `[max_tokens, rows, 1]`. */
  readonly uniforms: Value;
}

/** What does not depend on the row. */
export interface StageContext {
  readonly decoder: WhisperDecoder;
  readonly checkpoint: WhisperCheckpoint;
  /** float32 `[1, timestampsStart]`. */
  readonly textBias: Value;
  readonly anySampling: Value;
}

export interface StageStart {
  readonly rows: Rows;
  /** int64 `[1]`: position of the next token in the decoder's table. */
  readonly position: Value;
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
 * A Loop that adds one token to every row per step. It ends when all rows have ended, or, with
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

/** The rows that have not ended, gathered into a batch of their own. */
export function unfinishedRows(graph: OnnxGraph, rows: Rows): Rows {
  const open = graph.op('Squeeze', [graph.op('Not', [rows.finished]), graph.integers([1])]);
  const indices = graph.op('Squeeze', [graph.op('NonZero', [open]), graph.integers([0])]);
  const take = (value: Value, axis = 0): Value =>
    graph.op('Gather', [value, indices], { axis: { int: axis } });
  const takeBoth = ({ keys, values }: KeyValues): KeyValues => ({
    keys: take(keys),
    values: take(values),
  });
  return {
    places: take(rows.places),
    token: take(rows.token),
    finished: take(rows.finished),
    rules: {
      lastIs: take(rows.rules.lastIs),
      previousIs: take(rows.rules.previousIs),
      latest: take(rows.rules.latest),
    },
    past: rows.past.map(takeBoth),
    audio: rows.audio.map(takeBoth),
    timestamps: take(rows.timestamps),
    temperature: take(rows.temperature),
    uniforms: take(rows.uniforms, 1),
  };
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
    const { rows, position, trips, done } = this.#start;
    const body = graph.inner('loop', (inner) => this.#body(inner));
    const { lastIs, previousIs, latest } = rows.rules;
    const state = [rows.token, position, rows.finished, lastIs, previousIs, latest];
    const keyValues = rows.past.flatMap(({ keys, values }) => [keys, values]);
    const goesOn = this.#goesOn(graph, rows.finished);
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
      position: at(1),
      done: graph.op('Add', [done, axisLength(graph, tokens)]),
      rows: {
        ...rows,
        past,
        token: at(0),
        finished: at(2),
        rules: { lastIs: at(3), previousIs: at(4), latest: at(5) },
      },
    };
  }

  /** Rows that have ended repeat end of text at no cost in log-probability. */
  #body(graph: OnnxGraph): void {
    const step = graph.input('step', 'int64', []);
    graph.input('unfinished', 'bool', []);
    const token = graph.input('token', 'int64', ['rows', 1]);
    const position = graph.input('position', 'int64', [1]);
    const finished = graph.input('finished', 'bool', ['rows', 1]);
    const rules = {
      lastIs: graph.input('last_is_timestamp', 'bool', ['rows', 1]),
      previousIs: graph.input('previous_is_timestamp', 'bool', ['rows', 1]),
      latest: graph.input('latest_timestamp', 'int64', ['rows', 1]),
    };
    const past = this.#pastInputs(graph);
    const { decoder, checkpoint } = this.#context;
    const { rows, done } = this.#start;
    const pass = decoder.pass(graph, { ids: token, positions: position, past, audio: rows.audio });
    const picker = tokenPicker(graph, this.#context, rows);
    const one = graph.integers([1]);
    const scores = tokenScores(graph, this.#context, graph.op('Squeeze', [pass.hidden, one]));
    const uniform = graph.op('Gather', [rows.uniforms, graph.op('Add', [step, done])]);
    const pick = picker.next(scores, rules, uniform);
    const end = graph.integers([checkpoint.tokens.endOfText]);
    const next = graph.op('Where', [finished, end, pick.token]);
    const logProb = graph.op('Where', [finished, graph.float(0), pick.logProb]);
    const nowFinished = graph.op('Or', [finished, graph.op('Equal', [next, end])]);
    const nextRules = picker.advance(next, rules);

    graph.output('next_unfinished', this.#goesOn(graph, nowFinished), 'bool', []);
    graph.output('next_token', next, 'int64', ['rows', 1]);
    graph.output('next_position', graph.op('Add', [position, one]), 'int64', [1]);
    graph.output('next_finished', nowFinished, 'bool', ['rows', 1]);
    graph.output('next_last_is_timestamp', nextRules.lastIs, 'bool', ['rows', 1]);
    graph.output('next_previous_is_timestamp', nextRules.previousIs, 'bool', ['rows', 1]);
    graph.output('next_latest_timestamp', nextRules.latest, 'int64', ['rows', 1]);
    this.#presentOutputs(graph, pass.present);
    graph.output('picked_token', next, 'int64', ['rows', 1]);
    graph.output('picked_log_prob', logProb, 'float32', ['rows', 1]);
  }

  #pastInputs(graph: OnnxGraph): KeyValues[] {
    const { computeType } = this.#context.decoder;
    return this.#start.rows.past.map((_, layer) => ({
      keys: graph.input(`past_keys.${layer}`, computeType, this.#keyShape('past')),
      values: graph.input(`past_values.${layer}`, computeType, this.#keyShape('past')),
    }));
  }

  #presentOutputs(graph: OnnxGraph, present: readonly KeyValues[]): void {
    const type = this.#context.decoder.computeType;
    for (const [layer, { keys, values }] of present.entries()) {
      graph.output(`present_keys.${layer}`, keys, type, this.#keyShape('present'));
      graph.output(`present_values.${layer}`, values, type, this.#keyShape('present'));
    }
  }

  #keyShape(length: string): (number | string)[] {
    const { decoderHeads, dModel } = this.#context.checkpoint;
    return ['rows', decoderHeads, length, dModel / decoderHeads];
  }

  /** bool scalar: enough rows are left for another step of this stage. */
  #goesOn(graph: OnnxGraph, finished: Value): Value {
    const open = graph.op('Cast', [graph.op('Not', [finished])], {
      to: { int: elementTypeCode('int64') },
    });
    const count = graph.op('ReduceSum', [open, graph.integers([0, 1])], { keepdims: { int: 0 } });
    if (!this.#untilHalf) return graph.op('Greater', [count, graph.integers([0], [])]);
    const twice = graph.op('Add', [count, count]);
    return graph.op('Greater', [twice, axisLength(graph, finished)]);
  }
}

export function tokenScores(
  graph: OnnxGraph,
  { decoder, checkpoint, textBias }: StageContext,
  hidden: Value,
): Scores {
  const { tokens, vocabularySize } = checkpoint;
  const text = decoder.logits(graph, hidden, [0, tokens.timestampsStart]);
  return {
    text: graph.op('Add', [text, textBias]),
    timestamp: decoder.logits(graph, hidden, [tokens.timestampsStart, vocabularySize]),
  };
}

export function tokenPicker(
  graph: OnnxGraph,
  { checkpoint, anySampling }: StageContext,
  { timestamps, temperature }: Pick<Rows, 'timestamps' | 'temperature'>,
): TokenPicker {
  const options: PickOptions = { timestamps, temperature, anySampling };
  return new TokenPicker(graph, checkpoint.tokens, checkpoint.vocabularySize, options);
}

/** int64 scalar: length of the first axis. */
function axisLength(graph: OnnxGraph, value: Value): Value {
  return graph.op('Gather', [graph.op('Shape', [value]), graph.integers([0], [])]);
}
