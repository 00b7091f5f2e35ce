import { elementTypeCode, type OnnxGraph, type Value } from '../graph/onnx-graph.ts';
import { cumulativeSums } from './cumulative-sums.ts';
import type { SpecialTokens } from './special-tokens.ts';
import {
  FORBIDDEN,
  indices,
  logAddExp,
  type RuledScores,
  type TimestampRules,
} from './timestamp-rules.ts';

/** Inputs of the whole decode that every pick uses. */
export interface PickOptions {
  /** float32 `[rows, 1]`: 0 takes the best token, above it tokens are sampled. */
  readonly temperature: Value;
  /** bool scalar: some row has a temperature above 0. */
  readonly anySampling: Value;
  /** float32 `[rows, 1]` in [0, 1): what sampling is decided by. */
  readonly uniform: Value;
}

export interface Pick {
  /** int64 `[rows, 1]`. */
  readonly token: Value;
  /** float32 `[rows, 1]`: log-probability after all rules, untempered. */
  readonly logProb: Value;
}

interface Best {
  readonly index: Value;
  readonly score: Value;
}

interface Vocabulary {
  readonly tokens: SpecialTokens;
  readonly vocabularySize: number;
}

interface BestText extends Best {
  /** log of the summed exponentials of all allowed text scores. */
  readonly mass: Value;
}

/**
 * Picks each row's next token as openai-whisper's `GreedyDecoder` does.
 *
 * Text and timestamp scores come from two slices of the output projection, so that the rules touch
 * the whole vocabulary only once and the few timestamps as often as they like.
 */
export function pickToken(
  graph: OnnxGraph,
  { rules, scores, ...vocabulary }: Vocabulary & { rules: TimestampRules; scores: RuledScores },
  options: PickOptions,
): Pick {
  return new TokenPicker(graph, vocabulary, options).pick(rules, scores);
}

class TokenPicker {
  readonly #graph: OnnxGraph;
  readonly #vocabulary: Vocabulary;
  readonly #options: PickOptions;

  constructor(graph: OnnxGraph, vocabulary: Vocabulary, options: PickOptions) {
    this.#graph = graph;
    this.#vocabulary = vocabulary;
    this.#options = options;
  }

  pick(rules: TimestampRules, scores: RuledScores): Pick {
    const graph = this.#graph;
    const text = this.#bestText(scores.text, scores.onlyEnd);
    const timestamp = this.#best(scores.timestamp);
    const textForbidden = rules.textForbidden(scores, text.score);
    const total = logAddExp(graph, text.mass, scores.timestampMass);
    const mass = graph.op('Where', [textForbidden, scores.timestampMass, total]);
    const best = this.#greedy(text, timestamp, textForbidden);
    const chosen = this.#sampleWhereAsked(best, { ...scores, textForbidden });
    return { token: chosen.token, logProb: graph.op('Sub', [chosen.score, mass]) };
  }

  #greedy(text: BestText, timestamp: Best, textForbidden: Value): Best {
    const graph = this.#graph;
    const better = graph.op('Greater', [timestamp.score, text.score]);
    const takeTimestamp = graph.op('Or', [textForbidden, better]);
    const token = graph.op('Add', [
      timestamp.index,
      graph.integers([this.#vocabulary.tokens.timestampsStart]),
    ]);
    return {
      index: graph.op('Where', [takeTimestamp, token, text.index]),
      score: graph.op('Where', [takeTimestamp, timestamp.score, text.score]),
    };
  }

  #sampleWhereAsked(
    best: Best,
    scores: RuledScores & { textForbidden: Value },
  ): { token: Value; score: Value } {
    const graph = this.#graph;
    const greedy = graph.inner('greedy', (branch) => {
      branch.output('greedy_token', best.index, 'int64', ['rows', 1]);
      branch.output('greedy_score', best.score, 'float32', ['rows', 1]);
    });
    const sampled = graph.inner('sampled', (branch) => {
      const picker = new TokenPicker(branch, this.#vocabulary, this.#options);
      const { token, score } = picker.#sample(best, scores);
      branch.output('sampled_token', token, 'int64', ['rows', 1]);
      branch.output('sampled_score', score, 'float32', ['rows', 1]);
    });
    const [token, score] = graph.ops('If', [this.#options.anySampling], 2, {
      then_branch: { graph: sampled },
      else_branch: { graph: greedy },
    });
    return { token: token!, score: score! };
  }

  /** Inverse-CDF sampling: the first token at which the tempered cumulative mass passes `uniform`. */
  #sample(
    best: Best,
    scores: RuledScores & { textForbidden: Value },
  ): { token: Value; score: Value } {
    const graph = this.#graph;
    const { temperature, uniform } = this.#options;
    const forbidden = graph.float(FORBIDDEN);
    let text = graph.op('Where', [scores.textForbidden, forbidden, scores.text]);
    if (scores.onlyEnd !== undefined) {
      const ids = indices(graph, 'text', this.#vocabulary.tokens.timestampsStart);
      const isEnd = graph.op('Equal', [ids, graph.integers([this.#vocabulary.tokens.endOfText])]);
      const allowed = graph.op('Or', [isEnd, graph.op('Not', [scores.onlyEnd])]);
      text = graph.op('Where', [allowed, text, forbidden]);
    }
    const all = graph.op('Concat', [text, scores.timestamp], { axis: { int: 1 } });
    const isSampled = graph.op('Greater', [temperature, graph.float(0)]);
    const divisor = graph.op('Where', [isSampled, temperature, graph.float(1)]);
    const probabilities = graph.op('Softmax', [graph.op('Div', [all, divisor])], {
      axis: { int: 1 },
    });
    const cumulative = cumulativeSums(graph, probabilities, this.#vocabulary.vocabularySize);
    const total = graph.op('ReduceMax', [cumulative, graph.integers([1])]);
    const threshold = graph.op('Mul', [uniform, total]);
    const passed = graph.op('Greater', [cumulative, threshold]);
    const asNumbers = graph.op('Cast', [passed], { to: { int: elementTypeCode('float32') } });
    const index = graph.op('ArgMax', [asNumbers], { axis: { int: 1 } });
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
    const end = graph.integers([this.#vocabulary.tokens.endOfText]);
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
}
