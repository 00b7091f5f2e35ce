import { elementTypeCode, type OnnxGraph, type Value } from '../graph/onnx-graph.ts';
import type { SpecialTokens } from './special-tokens.ts';

/** Score of a token that must not be picked. Finite: −∞ minus −∞ would be NaN. */
export const FORBIDDEN = -1e30;

/** What a row has said so far, as the timestamp rules need it; each `[batch, 1]`. */
export interface TimestampState {
  /** bool: the last token is a timestamp. */
  readonly lastIs: Value;
  /** bool: the one before it is too, or there is none. */
  readonly previousIs: Value;
  /** int64: the latest timestamp in steps of 20 ms, −1 for none. */
  readonly latest: Value;
}

/** Inputs of the whole decode that every pick uses. */
export interface PickOptions {
  /** bool `[batch, 1]`: openai-whisper's timestamp rules apply. */
  readonly timestamps: Value;
  /** float32 `[batch, 1]`: 0 takes the best token, above it tokens are sampled. */
  readonly temperature: Value;
  /** bool scalar: some row has a temperature above 0. */
  readonly anySampling: Value;
}

export interface Scores {
  /** float32 `[batch, timestampsStart]`, suppressed tokens at `FORBIDDEN`. */
  readonly text: Value;
  /** float32 `[batch, timestampCount]`. */
  readonly timestamp: Value;
}

export interface Pick {
  /** int64 `[batch, 1]`. */
  readonly token: Value;
  /** float32 `[batch, 1]`: log-probability after all rules, untempered. */
  readonly logProb: Value;
}

/**
 * Picks each row's next token by openai-whisper's rules (`ApplyTimestampRules`, `GreedyDecoder`).
 *
 * Text and timestamp scores come from two slices of the output projection, so that the rules touch
 * the whole vocabulary only once and the few timestamps as often as they like.
 */
export class TokenPicker {
  readonly #graph: OnnxGraph;
  readonly #tokens: SpecialTokens;
  readonly #options: PickOptions;
  readonly #timestampCount: number;

  constructor(
    graph: OnnxGraph,
    tokens: SpecialTokens,
    vocabularySize: number,
    options: PickOptions,
  ) {
    this.#graph = graph;
    this.#tokens = tokens;
    this.#options = options;
    this.#timestampCount = vocabularySize - tokens.timestampsStart;
  }

  /** The first token: with rules on, a timestamp of at most `maxInitial` (int64 `[1]`). */
  first(scores: Scores, maxInitial: Value, uniform: Value): Pick {
    const graph = this.#graph;
    const early = graph.op('LessOrEqual', [this.#timestampIndex(), maxInitial]);
    const rules = this.#options.timestamps;
    return this.#pick(
      {
        text: scores.text,
        timestamp: this.#allow(scores.timestamp, graph.op('Or', [early, this.#not(rules)])),
      },
      { textForbidden: rules, onlyEnd: undefined, uniform },
    );
  }

  /** Any later token. */
  next(scores: Scores, state: TimestampState, uniform: Value): Pick {
    const graph = this.#graph;
    const rules = this.#options.timestamps;
    const inPair = graph.op('And', [state.lastIs, state.previousIs]);
    const opened = graph.op('And', [state.lastIs, this.#not(state.previousIs)]);
    const repeatAllowed = graph.op('Where', [opened, graph.integers([0]), graph.integers([1])]);
    const earliest = graph.op('Add', [state.latest, repeatAllowed]);
    const monotonic = graph.op('GreaterOrEqual', [this.#timestampIndex(), earliest]);
    const allowed = graph.op('And', [monotonic, this.#not(inPair)]);
    const timestamp = this.#allow(scores.timestamp, graph.op('Or', [allowed, this.#not(rules)]));
    const onlyEnd = graph.op('And', [opened, rules]);
    const timestampMass = this.#logSumExp(timestamp);
    return this.#pick(
      { text: scores.text, timestamp },
      { textForbidden: undefined, onlyEnd, uniform, timestampMass },
    );
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

  #pick(
    scores: Scores,
    rule: {
      readonly textForbidden: Value | undefined;
      readonly onlyEnd: Value | undefined;
      readonly uniform: Value;
      readonly timestampMass?: Value;
    },
  ): Pick {
    const graph = this.#graph;
    const text = this.#bestText(scores.text, rule.onlyEnd);
    const timestamp = this.#best(scores.timestamp);
    const timestampMass = rule.timestampMass ?? this.#logSumExp(scores.timestamp);
    // Rule of openai-whisper: if the timestamps together outweigh the best text, take a timestamp.
    const outweighs = graph.op('And', [
      this.#options.timestamps,
      graph.op('Greater', [timestampMass, text.score]),
    ]);
    const textForbidden =
      rule.textForbidden === undefined
        ? outweighs
        : graph.op('Or', [rule.textForbidden, outweighs]);
    const total = this.#logAddExp(text.mass, timestampMass);
    const mass = graph.op('Where', [textForbidden, timestampMass, total]);
    const best = this.#greedy(text, timestamp, textForbidden);
    const chosen = this.#sampleWhereAsked(best, scores, { ...rule, textForbidden, text });
    return { token: chosen.token, logProb: graph.op('Sub', [chosen.score, mass]) };
  }

  #greedy(text: BestText, timestamp: Best, textForbidden: Value): Best {
    const graph = this.#graph;
    const better = graph.op('Greater', [timestamp.score, text.score]);
    const takeTimestamp = graph.op('Or', [textForbidden, better]);
    const token = graph.op('Add', [
      timestamp.index,
      graph.integers([this.#tokens.timestampsStart]),
    ]);
    return {
      index: graph.op('Where', [takeTimestamp, token, text.index]),
      score: graph.op('Where', [takeTimestamp, timestamp.score, text.score]),
    };
  }

  /** Inverse-CDF sampling: the first token at which the tempered cumulative mass passes `uniform`. */
  #sampleWhereAsked(
    best: Best,
    scores: Scores,
    rule: { textForbidden: Value; onlyEnd: Value | undefined; uniform: Value; text: BestText },
  ): { token: Value; score: Value } {
    const graph = this.#graph;
    const greedy = graph.inner('greedy', (branch) => {
      branch.output('greedy_token', best.index, 'int64', ['batch', 1]);
      branch.output('greedy_score', best.score, 'float32', ['batch', 1]);
    });
    const sampled = graph.inner('sampled', (branch) => {
      const picker = new TokenPicker(
        branch,
        this.#tokens,
        this.#tokens.timestampsStart + this.#timestampCount,
        this.#options,
      );
      const { token, score } = picker.#sample(best, scores, rule);
      branch.output('sampled_token', token, 'int64', ['batch', 1]);
      branch.output('sampled_score', score, 'float32', ['batch', 1]);
    });
    const [token, score] = graph.ops('If', [this.#options.anySampling], 2, {
      then_branch: { graph: sampled },
      else_branch: { graph: greedy },
    });
    return { token: token!, score: score! };
  }

  #sample(
    best: Best,
    scores: Scores,
    rule: { textForbidden: Value; onlyEnd: Value | undefined; uniform: Value },
  ): { token: Value; score: Value } {
    const graph = this.#graph;
    const forbidden = graph.float(FORBIDDEN);
    let text = graph.op('Where', [rule.textForbidden, forbidden, scores.text]);
    if (rule.onlyEnd !== undefined) {
      const ids = this.#indices('text', this.#tokens.timestampsStart);
      const isEnd = graph.op('Equal', [ids, graph.integers([this.#tokens.endOfText])]);
      const allowed = graph.op('Or', [isEnd, this.#not(rule.onlyEnd)]);
      text = graph.op('Where', [allowed, text, forbidden]);
    }
    const all = graph.op('Concat', [text, scores.timestamp], { axis: { int: 1 } });
    const isSampled = graph.op('Greater', [this.#options.temperature, graph.float(0)]);
    const divisor = graph.op('Where', [isSampled, this.#options.temperature, graph.float(1)]);
    const probabilities = graph.op('Softmax', [graph.op('Div', [all, divisor])], {
      axis: { int: 1 },
    });
    const cumulative = graph.op('CumSum', [probabilities, graph.integers([1], [])]);
    const total = graph.op('ReduceMax', [cumulative, graph.integers([1])]);
    const threshold = graph.op('Mul', [rule.uniform, total]);
    const passed = graph.op('Greater', [cumulative, threshold]);
    const index = graph.op(
      'ArgMax',
      [graph.op('Cast', [passed], { to: { int: elementTypeCode('float32') } })],
      {
        axis: { int: 1 },
      },
    );
    const token = graph.op('Where', [isSampled, index, best.index]);
    return { token, score: graph.op('GatherElements', [all, token], { axis: { int: 1 } }) };
  }

  #bestText(scores: Value, onlyEnd: Value | undefined): BestText {
    const graph = this.#graph;
    // One vectorised pass gives the maximum's place and, by its own log-probability, the mass.
    const logProbs = graph.op('LogSoftmax', [scores], { axis: { int: 1 } });
    const index = graph.op('ArgMax', [logProbs], { axis: { int: 1 } });
    const score = graph.op('GatherElements', [scores, index], { axis: { int: 1 } });
    const logProb = graph.op('GatherElements', [logProbs, index], { axis: { int: 1 } });
    const mass = graph.op('Sub', [score, logProb]);
    if (onlyEnd === undefined) return { index, score, mass };
    const end = graph.integers([this.#tokens.endOfText]);
    const endScore = graph.op('Gather', [scores, end], { axis: { int: 1 } });
    return {
      index: graph.op('Where', [onlyEnd, end, index]),
      score: graph.op('Where', [onlyEnd, endScore, score]),
      mass: graph.op('Where', [onlyEnd, endScore, mass]),
    };
  }

  #best(scores: Value): Best {
    const graph = this.#graph;
    const index = graph.op('ArgMax', [scores], { axis: { int: 1 } });
    return { index, score: graph.op('GatherElements', [scores, index], { axis: { int: 1 } }) };
  }

  #allow(scores: Value, allowed: Value): Value {
    return this.#graph.op('Where', [allowed, scores, this.#graph.float(FORBIDDEN)]);
  }

  #timestampIndex(): Value {
    return this.#indices('timestamp', this.#timestampCount);
  }

  /** 0 … count − 1 as int64 `[1, count]`. */
  #indices(name: string, count: number): Value {
    return this.#graph.once(`${name}_index`, (outer) => {
      const range = outer.op('Range', [
        outer.integers([0], []),
        outer.integers([count], []),
        outer.integers([1], []),
      ]);
      return outer.op('Unsqueeze', [range, outer.integers([0])]);
    });
  }

  #not(value: Value): Value {
    return this.#graph.op('Not', [value]);
  }

  #logSumExp(scores: Value): Value {
    return this.#graph.op('ReduceLogSumExp', [scores, this.#graph.integers([1])]);
  }

  /** log(eᵃ + eᵇ) = max + log(1 + e^−|a − b|). */
  #logAddExp(a: Value, b: Value): Value {
    const graph = this.#graph;
    const gap = graph.op('Abs', [graph.op('Sub', [a, b])]);
    const tail = graph.op('Log', [
      graph.op('Add', [graph.op('Exp', [graph.op('Neg', [gap])]), graph.float(1)]),
    ]);
    return graph.op('Add', [graph.op('Max', [a, b]), tail]);
  }
}

interface Best {
  readonly index: Value;
  readonly score: Value;
}

interface BestText extends Best {
  /** log of the summed exponentials of all allowed text scores. */
  readonly mass: Value;
}
