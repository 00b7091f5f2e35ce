import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import type { SpecialTokens } from './special-tokens.ts';

/** Score of a token that must not be picked. Finite: −∞ minus −∞ would be NaN. */
export const FORBIDDEN = -1e30;

/** What a row has said so far, as the timestamp rules need it; each `[rows, 1]`. */
export interface TimestampState {
  /** bool: the last token is a timestamp. */
  readonly lastIs: Value;
  /** bool: the one before it is too, or there is none. */
  readonly previousIs: Value;
  /** int64: the latest timestamp in steps of 20 ms, −1 for none. */
  readonly latest: Value;
}

/** What the output projection says of every token. */
export interface Scores {
  /** float32 `[rows, timestampsStart]`, suppressed tokens at `FORBIDDEN`. */
  readonly text: Value;
  /** float32 `[rows, timestampCount]`. */
  readonly timestamp: Value;
}

/** Scores with openai-whisper's timestamp rules; of the text they say only what is forbidden. */
export interface RuledScores extends Scores {
  /** bool `[rows, 1]`: only a timestamp may follow. Undefined: nothing says so. */
  readonly textForbidden: Value | undefined;
  /** bool `[rows, 1]`: of the text only its end may follow. Undefined: nothing says so. */
  readonly onlyEnd: Value | undefined;
  /** float32 `[rows, 1]`: log of the summed exponentials of the allowed timestamps. */
  readonly timestampMass: Value;
}

/** What openai-whisper calls `ApplyTimestampRules`, for rows whose `timestamps` bool `[rows, 1]` is set. */
export class TimestampRules {
  readonly #graph: OnnxGraph;
  readonly #tokens: SpecialTokens;
  readonly #timestampCount: number;
  readonly #timestamps: Value;

  constructor(
    graph: OnnxGraph,
    { tokens, vocabularySize }: { tokens: SpecialTokens; vocabularySize: number },
    timestamps: Value,
  ) {
    this.#graph = graph;
    this.#tokens = tokens;
    this.#timestampCount = vocabularySize - tokens.timestampsStart;
    this.#timestamps = timestamps;
  }

  /** The first token: a timestamp of at most `maxInitial` (int64 `[1]`). */
  first(scores: Scores, maxInitial: Value): RuledScores {
    const graph = this.#graph;
    const early = graph.op('LessOrEqual', [this.#timestampIndex(), maxInitial]);
    const timestamp = this.#allow(scores.timestamp, early);
    return {
      text: scores.text,
      timestamp,
      textForbidden: this.#timestamps,
      onlyEnd: undefined,
      timestampMass: this.#logSumExp(timestamp),
    };
  }

  /** Any later token. */
  next(scores: Scores, state: TimestampState): RuledScores {
    const graph = this.#graph;
    const inPair = graph.op('And', [state.lastIs, state.previousIs]);
    const opened = graph.op('And', [state.lastIs, graph.op('Not', [state.previousIs])]);
    const repeatAllowed = graph.op('Where', [opened, graph.integers([0]), graph.integers([1])]);
    const earliest = graph.op('Add', [state.latest, repeatAllowed]);
    const monotonic = graph.op('GreaterOrEqual', [this.#timestampIndex(), earliest]);
    const allowed = graph.op('And', [monotonic, graph.op('Not', [inPair])]);
    const timestamp = this.#allow(scores.timestamp, allowed);
    return {
      text: scores.text,
      timestamp,
      textForbidden: undefined,
      onlyEnd: graph.op('And', [opened, this.#timestamps]),
      timestampMass: this.#logSumExp(timestamp),
    };
  }

  /** The state after `token`; `previous` is undefined for the first one. */
  advance(token: Value, previous?: TimestampState): TimestampState {
    const graph = this.#graph;
    const step = graph.op('Sub', [token, graph.integers([this.#tokens.timestampsStart])]);
    const isTimestamp = graph.op('GreaterOrEqual', [step, graph.integers([0])]);
    const before = previous?.latest ?? graph.integers([-1]);
    return {
      lastIs: isTimestamp,
      previousIs: previous?.lastIs ?? graph.op('Equal', [token, token]),
      latest: graph.op('Where', [isTimestamp, step, before]),
    };
  }

  /**
   * bool `[rows, 1]`: no text may follow. If the timestamps together outweigh the best text
   * (`[rows, 1]`), a timestamp is taken.
   */
  textForbidden({ textForbidden, timestampMass }: RuledScores, bestText: Value): Value {
    const graph = this.#graph;
    const heavier = graph.op('Greater', [timestampMass, bestText]);
    const outweighs = graph.op('And', [this.#timestamps, heavier]);
    return textForbidden === undefined ? outweighs : graph.op('Or', [textForbidden, outweighs]);
  }

  #allow(scores: Value, allowed: Value): Value {
    const graph = this.#graph;
    const free = graph.op('Or', [allowed, graph.op('Not', [this.#timestamps])]);
    return graph.op('Where', [free, scores, graph.float(FORBIDDEN)]);
  }

  #timestampIndex(): Value {
    return indices(this.#graph, 'timestamp', this.#timestampCount);
  }

  #logSumExp(scores: Value): Value {
    return this.#graph.op('ReduceLogSumExp', [scores, this.#graph.integers([1])]);
  }
}

/** 0 … count − 1 as int64 `[1, count]`, made once. */
export function indices(graph: OnnxGraph, name: string, count: number): Value {
  return graph.once(`${name}_index`, (outer) => {
    const range = outer.op('Range', [
      outer.integers([0], []),
      outer.integers([count], []),
      outer.integers([1], []),
    ]);
    return outer.op('Unsqueeze', [range, outer.integers([0])]);
  });
}

/** log(eᵃ + eᵇ) = max + log(1 + e^−|a − b|). */
export function logAddExp(graph: OnnxGraph, a: Value, b: Value): Value {
  const gap = graph.op('Abs', [graph.op('Sub', [a, b])]);
  const tail = graph.op('Log', [
    graph.op('Add', [graph.op('Exp', [graph.op('Neg', [gap])]), graph.float(1)]),
  ]);
  return graph.op('Add', [graph.op('Max', [a, b]), tail]);
}
