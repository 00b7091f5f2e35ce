import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';
import type { KeyValues } from './attention.ts';
import { beamCandidates } from './beam-candidates.ts';
import { type BeamLoopContext, type BeamState, beamLoop } from './beam-loop.ts';
import { BeamStep, type Beams, type Ended } from './beam-step.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import type { DecodedTokens } from './decode-graph.ts';
import { tokenScores } from './decode-stage.ts';
import { WhisperDecoder } from './decoder.ts';
import { promptPass } from './prompt-pass.ts';
import { advanceRepetition, noRepetition, repetitionInputs } from './repetition-rules.ts';
import { range, rowsOfWindows } from './rows.ts';
import { FORBIDDEN, TimestampRules } from './timestamp-rules.ts';

/**
 * Beam search after the encoder, by openai-whisper's rules: `audio` `[windows, 1500, dModel]` →
 * the best hypothesis of each window. Inputs as in `transcriptionGraph`, but for temperature and
 * uniforms; `max_candidates` float32 [] and `length_norms` float32 [maxNewTokens + 2] besides.
 *
 * Outputs: `tokens` int64 and `log_probs` float32 `[windows, T]`, after the end of text: end of
 * text, 0. A hypothesis that did not end by itself has none.
 */
export function beamGraph(
  graph: OnnxGraph,
  weights: Weights,
  checkpoint: WhisperCheckpoint,
  audio: Value,
): DecodedTokens {
  const decoder = new WhisperDecoder(weights, checkpoint);
  const keyValues = decoder.audioKeyValues(graph, audio);
  const windows = graph.op('Gather', [graph.op('Shape', [audio]), graph.integers([0])]);
  const textTokens = checkpoint.tokens.timestampsStart;
  const context: BeamLoopContext = {
    decoder,
    checkpoint,
    audio: keyValues,
    textBias: graph.input('text_bias', 'float32', [1, textTokens]),
    repetition: repetitionInputs(graph, checkpoint),
    inputs: {
      beams: graph.input('rows_per_window', 'int64', [1]),
      maxCandidates: graph.input('max_candidates', 'float32', []),
      lengthNorms: graph.input('length_norms', 'float32', ['lengths']),
    },
  };
  const prompt = promptPass(graph, { decoder, checkpoint, audio: keyValues, windows });
  const first = graph.in('first_token', () => firstBeams(graph, context, { prompt, windows }));
  const trips = graph.op('Sub', [graph.input('max_tokens', 'int64', []), graph.integers([1], [])]);
  const best = graph.in('beam', () => beamLoop(graph, context, first, trips));
  graph.output('tokens', best.tokens, 'int64', ['windows', 'said']);
  graph.output('log_probs', best.logProbs, 'float32', ['windows', 'said']);
  return decodedTokens(graph, { start: prompt.start, windows, tokens: best.tokens, keyValues });
}

/** The best hypotheses in the form that `attentionGraph` reads. */
function decodedTokens(
  graph: OnnxGraph,
  {
    start,
    windows,
    tokens,
    keyValues,
  }: { start: Value; windows: Value; tokens: Value; keyValues: readonly KeyValues[] },
): DecodedTokens {
  const last = graph.integers([Number.MAX_SAFE_INTEGER]);
  const one = graph.integers([1]);
  const rest = graph.op('Slice', [tokens, one, last, one]);
  const steps = graph.op('Unsqueeze', [graph.op('Transpose', [rest]), graph.integers([2])]);
  return {
    start,
    firstToken: graph.op('Gather', [tokens, graph.integers([0])], { axis: { int: 1 } }),
    stages: [{ places: range(graph, windows), tokens: steps }],
    audio: keyValues,
  };
}

/** The beams after their first token, all from the one end of the prompt. */
function firstBeams(
  graph: OnnxGraph,
  context: BeamLoopContext,
  { prompt, windows }: { prompt: ReturnType<typeof promptPass>; windows: Value },
): BeamState {
  const { checkpoint, inputs } = context;
  const textTokens = checkpoint.tokens.timestampsStart;
  const beginBias = graph.input('begin_bias', 'float32', [1, textTokens]);
  const maxInitial = graph.input('max_initial_timestamp', 'int64', [1]);
  const timestamps = graph.input('timestamps', 'bool', ['windows', 1]);
  const limits = graph.input('token_limits', 'int64', ['windows', 1]);
  const rules = new TimestampRules(graph, checkpoint, timestamps);
  const scores = tokenScores(graph, context, prompt.hidden);
  const text = graph.op('Add', [scores.text, beginBias]);
  const ruled = rules.first({ ...scores, text }, maxInitial);
  const repetition = noRepetition(graph, checkpoint, windows);
  const candidates = beamCandidates(graph, { ...context, beams: inputs.beams }, ruled, {
    timestamps,
    repetition,
  });
  const nothing = nothingSaid(graph, windows);
  const step = new BeamStep(graph, context, {
    widthBefore: graph.integers([1]),
    before: nothing,
    candidates,
  });
  const next = step.extend();
  const lastPosition = graph.op('Add', [
    prompt.position,
    graph.op('Sub', [limits, graph.integers([1])]),
  ]);
  const mustStop = graph.op('GreaterOrEqual', [prompt.position, lastPosition]);
  const before = { ...nothing, done: graph.op('LessOrEqual', [limits, graph.integers([0])]) };
  const ended = step.end(before, next, { said: graph.integers([0], []), mustStop });
  const { windowOfRow } = rowsOfWindows(graph, windows, inputs.beams);
  const perRow = (value: Value): Value => graph.op('Gather', [value, windowOfRow]);
  const history = { history: perRow(repetition.history), runs: perRow(repetition.runs) };
  return {
    beams: next,
    ended,
    token: next.token,
    position: perRow(prompt.position),
    rules: rules.advance(next.token),
    repetition: advanceRepetition(graph, checkpoint, history, next.token),
    past: prompt.present.map(({ keys, values }) => ({
      keys: perRow(keys),
      values: perRow(values),
    })),
    padding: { any: prompt.padding.any, bias: perRow(prompt.padding.bias) },
    timestamps: perRow(timestamps),
    lastPosition: perRow(lastPosition),
  };
}

/** A window before its first token: one empty beam, nothing has ended. */
function nothingSaid(graph: OnnxGraph, windows: Value): Beams & Omit<Ended, 'done'> {
  const shape = graph.op('Concat', [windows, graph.integers([1])], { axis: { int: 0 } });
  const column = (value: Value): Value => graph.op('Expand', [value, shape]);
  const bounds = [graph.integers([0]), graph.integers([0]), graph.integers([1])];
  const nothing = (value: Value): Value => graph.op('Slice', [column(value), ...bounds]);
  const zero = graph.floats([0], [1]);
  return {
    tokens: nothing(graph.integers([0])),
    logProbs: nothing(zero),
    sums: column(zero),
    rank: column(graph.floats([FORBIDDEN], [1])),
    count: column(zero),
  };
}
