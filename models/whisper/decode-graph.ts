import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';
import type { KeyValues } from './attention.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import {
  decodeStage,
  type Rows,
  type StageContext,
  type StageEnd,
  tokenPicker,
  tokenScores,
  unfinishedRows,
} from './decode-stage.ts';
import { WhisperDecoder } from './decoder.ts';

/** Batches that a decode goes through, each with the rows that the one before left over. */
export const DECODE_STAGES = 3;

/** What was decoded, for whoever goes on from it in the same graph. */
export interface DecodedTokens {
  /** int64 `[batch, 1 or 3]`: start of transcript, then language and task where there are any. */
  readonly start: Value;
  /** int64 `[batch, 1]`. */
  readonly firstToken: Value;
  /** Per stage: int64 `[rows]`, their places in the batch, and int64 `[steps, rows, 1]`. */
  readonly stages: readonly { readonly places: Value; readonly tokens: Value }[];
  readonly audio: readonly KeyValues[];
}

/** The part after the encoder: `audio` `[batch, 1500, dModel]` → tokens; see `transcriptionGraph`. */
export function decodeGraph(
  graph: OnnxGraph,
  weights: Weights,
  checkpoint: WhisperCheckpoint,
  audio: Value,
): DecodedTokens {
  return new DecodeGraph(graph, weights, checkpoint, audio).build();
}

interface PromptEnd {
  /** int64 `[batch, 1 or 3]`, see `DecodedTokens`. */
  readonly start: Value;
  /** `[batch, dModel]` at the last position. */
  readonly hidden: Value;
  readonly present: readonly KeyValues[];
  /** int64 `[1]`. */
  readonly length: Value;
}

class DecodeGraph {
  readonly #graph: OnnxGraph;
  readonly #checkpoint: WhisperCheckpoint;
  readonly #decoder: WhisperDecoder;
  readonly #audio: readonly KeyValues[];
  readonly #batch: Value;
  readonly #inputs;

  constructor(graph: OnnxGraph, weights: Weights, checkpoint: WhisperCheckpoint, audio: Value) {
    this.#graph = graph;
    this.#checkpoint = checkpoint;
    this.#decoder = new WhisperDecoder(weights, checkpoint);
    this.#audio = this.#decoder.audioKeyValues(graph, audio);
    this.#batch = this.#size(audio, 0);
    const textTokens = checkpoint.tokens.timestampsStart;
    this.#inputs = {
      prompt: graph.input('prompt', 'int64', ['batch', 'prompt_length']),
      startIndex: graph.input('start_index', 'int64', [1]),
      textBias: graph.input('text_bias', 'float32', [1, textTokens]),
      beginBias: graph.input('begin_bias', 'float32', [1, textTokens]),
      timestamps: graph.input('timestamps', 'bool', ['batch', 1]),
      maxInitialTimestamp: graph.input('max_initial_timestamp', 'int64', [1]),
      temperature: graph.input('temperature', 'float32', ['batch', 1]),
      anySampling: graph.input('any_sampling', 'bool', []),
      uniforms: graph.input('uniforms', 'float32', ['max_tokens', 'batch', 1]),
      maxTokens: graph.input('max_tokens', 'int64', []),
    };
  }

  build(): DecodedTokens {
    const prompt = this.#promptPass();
    const rows = this.#firstToken(prompt);
    const stages: { places: Value; tokens: Value }[] = [];
    let state: Pick<StageEnd, 'rows' | 'position' | 'done'> = {
      rows,
      position: prompt.length,
      done: this.#graph.integers([1], []),
    };
    for (let stage = 1; stage <= DECODE_STAGES; stage++) {
      const end = this.#graph.in(`stage_${stage}`, () => this.#stage(stage, state));
      stages.push({ places: end.rows.places, tokens: end.tokens });
      state = end;
    }
    return { start: prompt.start, firstToken: rows.token, stages, audio: this.#audio };
  }

  /** Publishes what the stage adds, and for which rows. */
  #stage(stage: number, before: Pick<StageEnd, 'rows' | 'position' | 'done'>): StageEnd {
    const graph = this.#graph;
    const rows = stage === 1 ? before.rows : unfinishedRows(graph, before.rows);
    const trips = graph.op('Sub', [this.#inputs.maxTokens, before.done]);
    const isLast = stage === DECODE_STAGES;
    const end = decodeStage(graph, this.#context(), { ...before, rows, trips }, !isLast);
    const flat = (value: Value): Value => graph.op('Squeeze', [value, graph.integers([2])]);
    const shape = [`steps_${stage}`, `rows_${stage}`];
    graph.output(`rows_${stage}`, rows.places, 'int64', [`rows_${stage}`]);
    graph.output(`tokens_${stage}`, flat(end.tokens), 'int64', shape);
    graph.output(`log_probs_${stage}`, flat(end.logProbs), 'float32', shape);
    return end;
  }

  #context(): StageContext {
    const { textBias, anySampling } = this.#inputs;
    return { decoder: this.#decoder, checkpoint: this.#checkpoint, textBias, anySampling };
  }

  /** Reads the prompt; in between, a multilingual model hears which language it is. */
  #promptPass(): PromptEnd {
    const graph = this.#graph;
    const { prompt, startIndex } = this.#inputs;
    const promptLength = this.#size(prompt, 1);
    const start = this.#decoder.pass(graph, {
      ids: prompt,
      positions: this.#positions(graph.integers([0]), promptLength),
      past: this.#decoder.emptyPast(graph, this.#batch),
      audio: this.#audio,
    });
    const startHidden = this.#at(start.hidden, startIndex);
    this.#noSpeech(startHidden);
    if (!this.#checkpoint.tokens.isMultilingual) {
      return {
        start: graph.op('Gather', [prompt, startIndex], { axis: { int: 1 } }),
        hidden: this.#lastOf(start.hidden),
        present: start.present,
        length: promptLength,
      };
    }
    const task = this.#taskTokens(startHidden);
    const length = graph.op('Add', [promptLength, this.#size(task, 1)]);
    const full = this.#decoder.pass(graph, {
      ids: task,
      positions: this.#positions(promptLength, length),
      past: start.present,
      audio: this.#audio,
    });
    return {
      start: this.#startTokens(task),
      hidden: this.#lastOf(full.hidden),
      present: full.present,
      length,
    };
  }

  /** Start of transcript, language and task. */
  #startTokens(task: Value): Value {
    const graph = this.#graph;
    const { prompt, startIndex } = this.#inputs;
    const start = graph.op('Gather', [prompt, startIndex], { axis: { int: 1 } });
    const known = graph.op('Gather', [task, graph.integers([0, 1])], { axis: { int: 1 } });
    return graph.op('Concat', [start, known], { axis: { int: 1 } });
  }

  /** Probability of the no-speech token right after start of transcript, nothing suppressed. */
  #noSpeech(startHidden: Value): void {
    const graph = this.#graph;
    const { tokens, vocabularySize } = this.#checkpoint;
    // In the two slices that the tokens are picked from: another would hold its weights once more.
    const text = this.#decoder.logits(graph, startHidden, [0, tokens.timestampsStart]);
    const times = [tokens.timestampsStart, vocabularySize] as const;
    const timestamps = this.#decoder.logits(graph, startHidden, times);
    const scores = graph.op('Concat', [text, timestamps], { axis: { int: 1 } });
    const probabilities = graph.op('Softmax', [scores], { axis: { int: 1 } });
    const id = graph.integers([tokens.noSpeech], []);
    const probability = graph.op('Gather', [probabilities, id], { axis: { int: 1 } });
    graph.output('no_speech_prob', probability, 'float32', ['batch']);
  }

  /** `task` with the most likely language where −1 stands. */
  #taskTokens(startHidden: Value): Value {
    const graph = this.#graph;
    const { languagesStart, translate } = this.#checkpoint.tokens;
    const task = graph.input('task', 'int64', ['batch', 'task_length']);
    const scores = this.#decoder.logits(graph, startHidden, [languagesStart, translate]);
    const probabilities = graph.op('Softmax', [scores], { axis: { int: 1 } });
    graph.output('language_probs', probabilities, 'float32', ['batch', translate - languagesStart]);
    const best = graph.op('ArgMax', [scores], { axis: { int: 1 } });
    const detected = graph.op('Add', [best, graph.integers([languagesStart])]);
    const unknown = graph.op('Less', [task, graph.integers([0])]);
    return graph.op('Where', [unknown, detected, task]);
  }

  /** Picks and publishes the first token; the rows as the first stage takes them over. */
  #firstToken({ hidden, present }: PromptEnd): Rows {
    const graph = this.#graph;
    const { beginBias, maxInitialTimestamp, temperature, timestamps, uniforms } = this.#inputs;
    return graph.in('first_token', () => {
      const picker = tokenPicker(graph, this.#context(), { timestamps, temperature });
      const scores = tokenScores(graph, this.#context(), hidden);
      const text = graph.op('Add', [scores.text, beginBias]);
      const uniform = graph.op('Gather', [uniforms, graph.integers([0], [])]);
      const { token, logProb } = picker.first({ ...scores, text }, maxInitialTimestamp, uniform);
      graph.output('first_token', token, 'int64', ['batch', 1]);
      graph.output('first_log_prob', logProb, 'float32', ['batch', 1]);
      return {
        places: this.#positions(graph.integers([0]), this.#batch),
        token,
        finished: graph.op('Equal', [token, graph.integers([this.#checkpoint.tokens.endOfText])]),
        rules: picker.advance(token),
        past: present,
        audio: this.#audio,
        timestamps,
        temperature,
        uniforms,
      };
    });
  }

  /** int64 `[1]`: length of one axis. */
  #size(value: Value, axis: number): Value {
    const graph = this.#graph;
    return graph.op('Slice', [
      graph.op('Shape', [value]),
      graph.integers([axis]),
      graph.integers([axis + 1]),
    ]);
  }

  /** int64 `[end − start]`: start … end − 1, from two int64 `[1]`. */
  #positions(start: Value, end: Value): Value {
    const graph = this.#graph;
    const scalar = (value: Value): Value => graph.op('Squeeze', [value, graph.integers([0])]);
    return graph.op('Range', [scalar(start), scalar(end), graph.integers([1], [])]);
  }

  /** `[batch, positions, dModel]` at one position → `[batch, dModel]`. */
  #at(hidden: Value, index: Value): Value {
    const graph = this.#graph;
    const row = graph.op('Gather', [hidden, index], { axis: { int: 1 } });
    return graph.op('Squeeze', [row, graph.integers([1])]);
  }

  #lastOf(hidden: Value): Value {
    return this.#at(hidden, this.#graph.integers([-1]));
  }
}
