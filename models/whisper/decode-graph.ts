import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';
import type { KeyValues } from './attention.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import {
  decodeStage,
  pickUnderRules,
  type StageContext,
  type StageEnd,
  tokenScores,
} from './decode-stage.ts';
import { WhisperDecoder } from './decoder.ts';
import { type PromptEnd, promptPass } from './prompt-pass.ts';
import { advanceRepetition, noRepetition, repetitionInputs } from './repetition-rules.ts';
import { type Rows, range, rowsOfWindows, unfinishedRows, windowShapeOf } from './rows.ts';
import { TimestampRules } from './timestamp-rules.ts';

/** Batches that a decode goes through, each with the windows that the one before left over. */
export const DECODE_STAGES = 3;

/** What was decoded, for whoever goes on from it in the same graph. */
export interface DecodedTokens {
  /** int64 `[windows, 1 or 3]`: start of transcript, then language and task where there are any. */
  readonly start: Value;
  /** int64 `[rows]`: the window of each row; undefined where every window has one row. */
  readonly windowOfRow?: Value;
  /** int64 `[rows, 1]`. */
  readonly firstToken: Value;
  /** Per stage: int64 `[rows]`, their places in the batch, and int64 `[steps, rows, 1]`. */
  readonly stages: readonly { readonly places: Value; readonly tokens: Value }[];
  /** Per window. */
  readonly audio: readonly KeyValues[];
}

/** The part after the encoder: `audio` `[windows, 1500, dModel]` → tokens; see `transcriptionGraph`. */
export function decodeGraph(
  graph: OnnxGraph,
  weights: Weights,
  checkpoint: WhisperCheckpoint,
  audio: Value,
): DecodedTokens {
  return new DecodeGraph(graph, weights, checkpoint, audio).build();
}

type StageState = Pick<StageEnd, 'rows' | 'done'>;

class DecodeGraph {
  readonly #graph: OnnxGraph;
  readonly #checkpoint: WhisperCheckpoint;
  readonly #audio: readonly KeyValues[];
  readonly #windows: Value;
  readonly #context: StageContext;
  readonly #inputs;

  constructor(graph: OnnxGraph, weights: Weights, checkpoint: WhisperCheckpoint, audio: Value) {
    this.#graph = graph;
    this.#checkpoint = checkpoint;
    const decoder = new WhisperDecoder(weights, checkpoint);
    this.#audio = decoder.audioKeyValues(graph, audio);
    this.#windows = graph.op('Gather', [graph.op('Shape', [audio]), graph.integers([0])]);
    const textTokens = checkpoint.tokens.timestampsStart;
    const temperature = graph.input('temperature', 'float32', ['rows', 1]);
    this.#context = {
      decoder,
      checkpoint,
      textBias: graph.input('text_bias', 'float32', [1, textTokens]),
      anySampling: graph.input('any_sampling', 'bool', []),
      rowsPerWindow: graph.input('rows_per_window', 'int64', [1]),
      windowShape: windowShapeOf(graph, temperature, this.#windows),
      repetition: repetitionInputs(graph, checkpoint),
    };
    this.#inputs = {
      beginBias: graph.input('begin_bias', 'float32', [1, textTokens]),
      timestamps: graph.input('timestamps', 'bool', ['windows', 1]),
      tokenLimits: graph.input('token_limits', 'int64', ['windows', 1]),
      maxInitialTimestamp: graph.input('max_initial_timestamp', 'int64', [1]),
      temperature,
      uniforms: graph.input('uniforms', 'float32', ['max_tokens', 'rows', 1]),
      maxTokens: graph.input('max_tokens', 'int64', []),
    };
  }

  build(): DecodedTokens {
    const graph = this.#graph;
    const { decoder, checkpoint } = this.#context;
    const prompt = promptPass(graph, {
      decoder,
      checkpoint,
      audio: this.#audio,
      windows: this.#windows,
    });
    const { windowOfRow, count } = rowsOfWindows(graph, this.#windows, this.#context.rowsPerWindow);
    const rows = graph.in('first_token', () => this.#firstToken(prompt, windowOfRow, count));
    const stages: { places: Value; tokens: Value }[] = [];
    let state: StageState = { rows, done: graph.integers([1], []) };
    for (let stage = 1; stage <= DECODE_STAGES; stage++) {
      const end = graph.in(`stage_${stage}`, () => this.#stage(stage, state));
      stages.push({ places: end.rows.places, tokens: end.tokens });
      state = end;
    }
    const { start } = prompt;
    return { start, windowOfRow, firstToken: rows.token, stages, audio: this.#audio };
  }

  /** Publishes what the stage adds, and for which rows. */
  #stage(stage: number, before: StageState): StageEnd {
    const graph = this.#graph;
    const rows = stage === 1 ? before.rows : unfinishedRows(graph, this.#context, before.rows);
    const trips = graph.op('Sub', [this.#inputs.maxTokens, before.done]);
    const isLast = stage === DECODE_STAGES;
    const end = decodeStage(graph, this.#context, { ...before, rows, trips }, !isLast);
    const flat = (value: Value): Value => graph.op('Squeeze', [value, graph.integers([2])]);
    const shape = [`steps_${stage}`, `rows_${stage}`];
    graph.output(`rows_${stage}`, rows.places, 'int64', [`rows_${stage}`]);
    graph.output(`tokens_${stage}`, flat(end.tokens), 'int64', shape);
    graph.output(`log_probs_${stage}`, flat(end.logProbs), 'float32', shape);
    return end;
  }

  /** Picks and publishes the first token; the rows as the first stage takes them over. */
  #firstToken(prompt: PromptEnd, windowOfRow: Value, rowCount: Value): Rows {
    const graph = this.#graph;
    const checkpoint = this.#checkpoint;
    const { beginBias, maxInitialTimestamp, temperature, uniforms } = this.#inputs;
    const perRow = (value: Value): Value => graph.op('Gather', [value, windowOfRow]);
    const timestamps = perRow(this.#inputs.timestamps);
    const rules = new TimestampRules(graph, checkpoint, timestamps);
    const scores = tokenScores(graph, this.#context, perRow(prompt.hidden));
    const text = graph.op('Add', [scores.text, beginBias]);
    const ruled = rules.first({ ...scores, text }, maxInitialTimestamp);
    const uniform = graph.op('Gather', [uniforms, graph.integers([0], [])]);
    const before = noRepetition(graph, checkpoint, rowCount);
    const pick = pickUnderRules(graph, this.#context, ruled, {
      timestamps,
      repetition: before,
      options: { temperature, anySampling: this.#context.anySampling, uniform },
    });
    const { token, logProb } = pick;
    graph.output('first_token', token, 'int64', ['rows', 1]);
    graph.output('first_log_prob', logProb, 'float32', ['rows', 1]);
    const position = perRow(prompt.position);
    const said = graph.op('Sub', [perRow(this.#inputs.tokenLimits), graph.integers([1])]);
    const lastPosition = graph.op('Add', [position, said]);
    const end = graph.op('Equal', [token, graph.integers([checkpoint.tokens.endOfText])]);
    const atLimit = graph.op('GreaterOrEqual', [position, lastPosition]);
    return {
      places: range(graph, rowCount),
      token,
      position,
      finished: graph.op('Or', [end, atLimit]),
      rules: rules.advance(token),
      repetition: advanceRepetition(graph, checkpoint, before, token),
      past: prompt.present.map(({ keys, values }) => ({
        keys: perRow(keys),
        values: perRow(values),
      })),
      audio: this.#context.decoder.heardInSteps(graph, this.#audio),
      padding: { any: prompt.padding.any, bias: perRow(prompt.padding.bias) },
      lastPosition,
      timestamps,
      temperature,
      uniforms,
    };
  }
}
