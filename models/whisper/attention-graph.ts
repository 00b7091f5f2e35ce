import { elementTypeCode, type OnnxGraph, type Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';
import { alignmentPass } from './alignment-pass.ts';
import { normalizedAttention } from './attention-rows.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import type { DecodedTokens } from './decode-graph.ts';

/**
 * How the decoded text attends to the audio, as openai-whisper's `find_alignment` prepares it for
 * dynamic time warping: the decoder reads [start, no timestamps, text without timestamps, end of
 * text] once more; of the alignment heads' scores: softmax over the positions that hold audio,
 * standardised over the tokens, median of 7 over time, mean over the heads.
 *
 * Input `attention` bool []: whether it is wanted; nothing is computed otherwise.
 * Output `attention_weights` float32 `[batch, 1 + longest text, 1500]`, empty unless wanted: row r is
 * the position that predicts text token r, the one after the last token predicts the end. Zero behind
 * a row's own text and audio.
 * @param audioFrames int64 `[windows, 1, 1]`: mel frames that hold audio.
 */
export function attentionGraph(
  graph: OnnxGraph,
  weights: Weights,
  checkpoint: WhisperCheckpoint,
  decoded: DecodedTokens & { readonly audioFrames: Value },
): void {
  const wanted = graph.input('attention', 'bool', []);
  const shape = ['batch', 'text_positions', 'audio_positions'];
  const branch = (name: string, build: (inner: OnnxGraph) => Value) => ({
    graph: graph.inner(name, (inner) =>
      inner.output(`${name}.out`, build(inner), 'float32', shape),
    ),
  });
  const attention = graph.op('If', [wanted], {
    then_branch: branch('attention', (inner) => {
      const text = withoutTimestamps(inner, checkpoint, allTokens(inner, checkpoint, decoded));
      const perRow = (value: Value): Value =>
        decoded.windowOfRow === undefined
          ? value
          : inner.op('Gather', [value, decoded.windowOfRow]);
      const ids = sequence(inner, checkpoint, perRow(decoded.start), text.ids);
      const pass = alignmentPass(inner, weights, checkpoint, { ...decoded, ids });
      return normalizedAttention(inner, checkpoint, {
        ...pass,
        lengths: text.lengths,
        audioFrames: perRow(decoded.audioFrames),
      });
    }),
    else_branch: branch('no_attention', (inner) => inner.floats([], [0, 0, 0])),
  });
  graph.output('attention_weights', attention, 'float32', shape);
}

/** int64 `[batch, tokens]` as picked over all stages; end of text where a row had none. */
function allTokens(
  graph: OnnxGraph,
  { tokens: { endOfText } }: WhisperCheckpoint,
  { firstToken, stages }: DecodedTokens,
): Value {
  const batch = axisLength(graph, firstToken, 0);
  const parts = stages.map(({ places, tokens }) => {
    const steps = axisLength(graph, tokens, 0);
    const shape = graph.op('Concat', [batch, steps], { axis: { int: 0 } });
    const ended = graph.op('Expand', [graph.integers([endOfText]), shape]);
    // A stage without a step left gives no rows either.
    const grid = graph.op('Concat', [steps, axisLength(graph, places, 0)], { axis: { int: 0 } });
    const perStep = graph.op('Reshape', [tokens, grid], { allowzero: { int: 1 } });
    const perRow = graph.op('Transpose', [perStep]);
    const rows = graph.op('Unsqueeze', [places, graph.integers([1])]);
    return graph.op('ScatterND', [ended, rows, perRow]);
  });
  return graph.op('Concat', [firstToken, ...parts], { axis: { int: 1 } });
}

/**
 * The text tokens moved together: `ids` `[batch, 1 + longest]`, end of text behind them, `lengths`
 * `[batch]`. Every other token is written to one place behind the longest text.
 */
function withoutTimestamps(
  graph: OnnxGraph,
  { tokens: { endOfText } }: WhisperCheckpoint,
  ids: Value,
): { readonly ids: Value; readonly lengths: Value } {
  const one = graph.integers([1]);
  const isText = graph.op('Less', [ids, graph.integers([endOfText])]);
  const counted = graph.op('Cast', [isText], { to: { int: elementTypeCode('int64') } });
  const lengths = graph.op('ReduceSum', [counted, one], { keepdims: { int: 0 } });
  const longest = graph.op('ReduceMax', [lengths, graph.integers([0])]);
  const places = graph.op('Sub', [graph.op('CumSum', [counted, graph.integers([1], [])]), one]);
  const behind = graph.op('Add', [longest, one]);
  const width = graph.op('Add', [behind, one]);
  const shape = graph.op('Concat', [axisLength(graph, ids, 0), width], { axis: { int: 0 } });
  const moved = graph.op(
    'ScatterElements',
    [
      graph.op('Expand', [graph.integers([endOfText]), shape]),
      graph.op('Where', [isText, places, behind]),
      ids,
    ],
    { axis: { int: 1 } },
  );
  return { ids: graph.op('Slice', [moved, graph.integers([0]), behind, one]), lengths };
}

/** `[batch, start + 1 + text]`: what the decoder reads. */
function sequence(
  graph: OnnxGraph,
  { tokens }: WhisperCheckpoint,
  start: Value,
  text: Value,
): Value {
  const shape = graph.op('Concat', [axisLength(graph, text, 0), graph.integers([1])], {
    axis: { int: 0 },
  });
  const untimed = graph.op('Expand', [graph.integers([tokens.noTimestamps]), shape]);
  return graph.op('Concat', [start, untimed, text], { axis: { int: 1 } });
}

/** int64 `[1]`. */
function axisLength(graph: OnnxGraph, value: Value, axis: number): Value {
  return graph.op('Gather', [graph.op('Shape', [value]), graph.integers([axis])]);
}
