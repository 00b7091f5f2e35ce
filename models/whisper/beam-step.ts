import { elementTypeCode, type OnnxGraph, type Value } from '../graph/onnx-graph.ts';
import type { Candidates } from './beam-candidates.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import { range } from './rows.ts';
import { FORBIDDEN } from './timestamp-rules.ts';

/** What a row of the beam has said: `said` tokens so far. */
export interface Beams {
  /** int64 and float32 `[rows, said]`. */
  readonly tokens: Value;
  readonly logProbs: Value;
  /** float32 `[windows, beams]`: the summed log-probabilities. */
  readonly sums: Value;
}

/** What has ended, by window: only the best of it, and how much. */
export interface Ended {
  /** int64 and float32 `[windows, said]`: the best, end of text behind it. */
  readonly tokens: Value;
  readonly logProbs: Value;
  /** float32 `[windows, 1]`: what hypotheses are ranked by; `FORBIDDEN` before the first. */
  readonly rank: Value;
  /** float32 `[windows, 1]`: hypotheses that have ended. */
  readonly count: Value;
  /** bool `[windows, 1]`: nothing changes any more. */
  readonly done: Value;
}

export interface BeamInputs {
  /** int64 `[1]`. */
  readonly beams: Value;
  /** float32 scalar: hypotheses after which a window is done. */
  readonly maxCandidates: Value;
  /** float32 `[lengths]`: what a sum is divided by, by the number of tokens. */
  readonly lengthNorms: Value;
}

/** Below this, a hypothesis has a forbidden token in it. */
const POSSIBLE = FORBIDDEN / 10;
const COLUMNS = { axis: { int: 1 } };

/** The beams after one more token, and where they come from. */
export interface Extension extends Beams {
  /** int64 `[rows, 1]`. */
  readonly token: Value;
  /** int64 `[rows]`: the row that each continues. */
  readonly source: Value;
}

/**
 * One step of openai-whisper's `BeamSearchDecoder`. All continuations of a window's beams compete:
 * those that end before the n-th best that goes on have ended, the n best that go on are the next
 * beams. `widthBefore` (int64 `[1]`) is the number of beams so far: one before the first token.
 */
export class BeamStep {
  readonly #graph: OnnxGraph;
  readonly #checkpoint: WhisperCheckpoint;
  readonly #inputs: BeamInputs;
  readonly #widthBefore: Value;
  readonly #before: Beams;
  readonly #candidates: Candidates;

  constructor(
    graph: OnnxGraph,
    { checkpoint, inputs }: { checkpoint: WhisperCheckpoint; inputs: BeamInputs },
    step: { widthBefore: Value; before: Beams; candidates: Candidates },
  ) {
    this.#graph = graph;
    this.#checkpoint = checkpoint;
    this.#inputs = inputs;
    this.#widthBefore = step.widthBefore;
    this.#before = step.before;
    this.#candidates = step.candidates;
  }

  /** The beams that go on, best first. */
  extend(): Extension {
    const graph = this.#graph;
    const { tokens, logProbs } = this.#candidates;
    const { beams } = this.#inputs;
    const perRow = graph.op('Reshape', [this.#before.sums, graph.integers([-1, 1])]);
    const totals = this.#perWindow(graph.op('Add', [logProbs, perRow]));
    const [sums, places] = graph.ops('TopK', [totals, beams], 2);
    const column = (values: Value): Value => {
      const picked = graph.op('GatherElements', [this.#perWindow(values), places!], COLUMNS);
      return graph.op('Reshape', [picked, graph.integers([-1, 1])]);
    };
    const token = column(tokens);
    const perBeam = graph.op('Gather', [graph.op('Shape', [tokens]), graph.integers([1])]);
    const beam = graph.op('Div', [places!, perBeam]);
    const windows = graph.op('Gather', [graph.op('Shape', [sums!]), graph.integers([0])]);
    const firsts = graph.op('Mul', [range(graph, windows), this.#widthBefore]);
    const rows = graph.op('Add', [graph.op('Unsqueeze', [firsts, graph.integers([1])]), beam]);
    const source = graph.op('Reshape', [rows, graph.integers([-1])]);
    const longer = (values: Value, last: Value): Value =>
      graph.op('Concat', [graph.op('Gather', [values, source]), last], COLUMNS);
    return {
      token,
      source,
      sums: sums!,
      tokens: longer(this.#before.tokens, token),
      logProbs: longer(this.#before.logProbs, column(logProbs)),
    };
  }

  /**
   * The best that has ended after this step. A window whose best beam must stop (`mustStop` bool
   * `[windows, 1]`) before enough have ended counts that beam too.
   * @param said int64 scalar: tokens before this step.
   */
  end(before: Ended, next: Extension, { said, mustStop }: { said: Value; mustStop: Value }): Ended {
    const graph = this.#graph;
    const { maxCandidates } = this.#inputs;
    const open = graph.op('Not', [before.done]);
    const ends = this.#ends(next, open);
    const count = graph.op('Add', [before.count, ends.count]);
    const best = this.#longer(before, ends.candidate);
    const completed = graph.op('GreaterOrEqual', [count, maxCandidates]);
    const few = graph.op('Less', [count, this.#width()]);
    const stopped = graph.op('And', [graph.op('And', [open, mustStop]), few]);
    const endRank = this.#rank(ends.score, said);
    const better = graph.op('And', [ends.any, graph.op('Greater', [endRank, before.rank])]);
    const ended = this.#choose(better, { ...ends.candidate, rank: endRank }, best);
    const live = this.#live(next);
    const liveRank = this.#rank(live.score, graph.op('Add', [said, graph.integers([1], [])]));
    const liveBetter = graph.op('And', [stopped, graph.op('Greater', [liveRank, ended.rank])]);
    return {
      ...this.#choose(liveBetter, { ...live, rank: liveRank }, ended),
      count,
      done: graph.op('Or', [before.done, graph.op('Or', [completed, mustStop])]),
    };
  }

  /** The likeliest beam of each window whose end comes before the last beam that goes on. */
  #ends(next: Extension, open: Value) {
    const graph = this.#graph;
    const end = graph.op('Reshape', [this.#candidates.end, this.#shapeBefore()]);
    const totals = graph.op('Add', [end, this.#before.sums]);
    const last = graph.op('Gather', [next.sums, graph.integers([-1])], COLUMNS);
    const inTime = graph.op('GreaterOrEqual', [totals, last]);
    const possible = graph.op('Greater', [totals, graph.float(POSSIBLE)]);
    const valid = graph.op('And', [graph.op('And', [inTime, possible]), open]);
    const scores = graph.op('Where', [valid, totals, graph.float(FORBIDDEN)]);
    const score = graph.op('ReduceMax', [scores, graph.integers([1])]);
    const beam = graph.op('ArgMax', [scores], COLUMNS);
    const counted = graph.op('Cast', [valid], { to: { int: elementTypeCode('float32') } });
    const ofBeam = (values: Value): Value => this.#rowOfWindow(values, beam, this.#widthBefore);
    const endOfText = graph.op('Sub', [
      graph.op('Mul', [beam, graph.integers([0])]),
      graph.integers([-this.#checkpoint.tokens.endOfText]),
    ]);
    const join = (values: Value, last: Value): Value => graph.op('Concat', [values, last], COLUMNS);
    return {
      score,
      any: graph.op('Greater', [score, graph.float(POSSIBLE)]),
      count: graph.op('ReduceSum', [counted, graph.integers([1])]),
      candidate: {
        tokens: join(ofBeam(this.#before.tokens), endOfText),
        logProbs: join(ofBeam(this.#before.logProbs), ofBeam(this.#candidates.end)),
        endOfText,
      },
    };
  }

  /** Each window's best beam that goes on. */
  #live(next: Extension) {
    const graph = this.#graph;
    const first = graph.op('Gather', [next.sums, graph.integers([0])], COLUMNS);
    const beam = graph.op('ArgMax', [first], COLUMNS); // All 0, in the right shape.
    const ofBeam = (values: Value): Value => this.#rowOfWindow(values, beam, this.#inputs.beams);
    return { tokens: ofBeam(next.tokens), logProbs: ofBeam(next.logProbs), score: first };
  }

  /** `[windows · width, …]` → of each window its row `beam` (int64 `[windows, 1]`). */
  #rowOfWindow(values: Value, beam: Value, width: Value): Value {
    const graph = this.#graph;
    const windows = graph.op('Gather', [graph.op('Shape', [beam]), graph.integers([0])]);
    const firsts = graph.op('Mul', [range(graph, windows), width]);
    const flat = graph.op('Reshape', [beam, graph.integers([-1])]);
    return graph.op('Gather', [values, graph.op('Add', [firsts, flat])]);
  }

  /** As long as what has ended now. */
  #longer(before: Ended, { endOfText }: { endOfText: Value }) {
    const graph = this.#graph;
    const zero = graph.op('Mul', [before.rank, graph.float(0)]);
    return {
      tokens: graph.op('Concat', [before.tokens, endOfText], COLUMNS),
      logProbs: graph.op('Concat', [before.logProbs, zero], COLUMNS),
      rank: before.rank,
    };
  }

  #choose(
    condition: Value,
    better: Pick<Ended, 'tokens' | 'logProbs' | 'rank'>,
    other: Pick<Ended, 'tokens' | 'logProbs' | 'rank'>,
  ): Pick<Ended, 'tokens' | 'logProbs' | 'rank'> {
    const where = (yes: Value, no: Value): Value => this.#graph.op('Where', [condition, yes, no]);
    return {
      tokens: where(better.tokens, other.tokens),
      logProbs: where(better.logProbs, other.logProbs),
      rank: where(better.rank, other.rank),
    };
  }

  #rank(score: Value, length: Value): Value {
    const graph = this.#graph;
    return graph.op('Div', [score, graph.op('Gather', [this.#inputs.lengthNorms, length])]);
  }

  #width(): Value {
    return this.#graph.op('Cast', [this.#inputs.beams], {
      to: { int: elementTypeCode('float32') },
    });
  }

  /** `[windows · beams, n]` → `[windows, beams · n]`. */
  #perWindow(values: Value): Value {
    const graph = this.#graph;
    const columns = graph.op('Gather', [graph.op('Shape', [values]), graph.integers([1])]);
    const width = graph.op('Mul', [columns, this.#widthBefore]);
    const shape = graph.op('Concat', [graph.integers([-1]), width], { axis: { int: 0 } });
    return graph.op('Reshape', [values, shape]);
  }

  #shapeBefore(): Value {
    const parts = [this.#graph.integers([-1]), this.#widthBefore];
    return this.#graph.op('Concat', parts, { axis: { int: 0 } });
  }
}
