import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import {
  type RepetitionInputs,
  type RepetitionState,
  withRepetitionRules,
} from './repetition-rules.ts';
import { FORBIDDEN, logAddExp, type RuledScores, TimestampRules } from './timestamp-rules.ts';

/** How each row may go on. */
export interface Candidates {
  /** int64 and float32 `[rows, candidates]`: its likeliest tokens other than the end of text. */
  readonly tokens: Value;
  readonly logProbs: Value;
  /** float32 `[rows, 1]`: log-probability of the end of text. */
  readonly end: Value;
}

const COLUMNS = { axis: { int: 1 } };

/**
 * More than a beam search can use of every row: the best `beams` (int64 `[1]`) of the timestamps and
 * of the text, one more of the latter because the end of text may be among them.
 */
export function beamCandidates(
  graph: OnnxGraph,
  {
    checkpoint,
    repetition,
    beams,
  }: { checkpoint: WhisperCheckpoint; repetition: RepetitionInputs; beams: Value },
  ruled: RuledScores,
  row: { readonly timestamps: Value; readonly repetition: RepetitionState },
): Candidates {
  const context = { checkpoint, inputs: repetition, state: row.repetition };
  const [tokens, logProbs, end] = withRepetitionRules(
    graph,
    context,
    ruled.text,
    (branch, text) => {
      const rules = new TimestampRules(branch, checkpoint, row.timestamps);
      const candidates = allowed(branch, checkpoint, { ...ruled, text }, { rules, beams });
      return [
        { value: candidates.tokens, type: 'int64', shape: ['rows', 'candidates'] },
        { value: candidates.logProbs, type: 'float32', shape: ['rows', 'candidates'] },
        { value: candidates.end, type: 'float32', shape: ['rows', 1] },
      ];
    },
  );
  return { tokens: tokens!, logProbs: logProbs!, end: end! };
}

function allowed(
  graph: OnnxGraph,
  { tokens }: WhisperCheckpoint,
  scores: RuledScores,
  { rules, beams }: { rules: TimestampRules; beams: Value },
): Candidates {
  const forbidden = graph.float(FORBIDDEN);
  const endOfText = graph.integers([tokens.endOfText]);
  const more = graph.op('Add', [beams, graph.integers([1])]);
  const [textScores, textTokens] = graph.ops('TopK', [scores.text, more], 2);
  const [timeScores, times] = graph.ops('TopK', [scores.timestamp, beams], 2);
  const best = graph.op('Gather', [textScores!, graph.integers([0])], COLUMNS);
  const endScore = graph.op('Gather', [scores.text, endOfText], COLUMNS);
  const sum = graph.op('ReduceLogSumExp', [scores.text, graph.integers([1])]);
  const only = (ifEnd: Value, otherwise: Value): Value =>
    scores.onlyEnd === undefined
      ? otherwise
      : graph.op('Where', [scores.onlyEnd, ifEnd, otherwise]);
  const textForbidden = rules.textForbidden(scores, only(endScore, best));
  const total = logAddExp(graph, only(endScore, sum), scores.timestampMass);
  const mass = graph.op('Where', [textForbidden, scores.timestampMass, total]);
  const isEnd = graph.op('Equal', [textTokens!, endOfText]);
  const noText =
    scores.onlyEnd === undefined ? textForbidden : graph.op('Or', [textForbidden, scores.onlyEnd]);
  const text = graph.op('Where', [graph.op('Or', [isEnd, noText]), forbidden, textScores!]);
  const timeTokens = graph.op('Add', [times!, graph.integers([tokens.timestampsStart])]);
  const all = graph.op('Concat', [text, timeScores!], COLUMNS);
  const end = graph.op('Where', [textForbidden, forbidden, endScore]);
  return {
    tokens: graph.op('Concat', [textTokens!, timeTokens], COLUMNS),
    logProbs: graph.op('Sub', [all, mass]),
    end: graph.op('Sub', [end, mass]),
  };
}
