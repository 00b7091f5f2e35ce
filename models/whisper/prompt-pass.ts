import { elementTypeCode, type OnnxGraph, type Value } from '../graph/onnx-graph.ts';
import type { KeyValues, Padding } from './attention.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import type { WhisperDecoder } from './decoder.ts';
import { DETECT_LANGUAGE, LANGUAGE_QUERY, PADDING } from './row-prompt.ts';

/** Added to a score that must not count; within float16, and e to its power is 0. */
const UNSEEN = -30_000;

/** The windows after their prompts. */
export interface PromptEnd {
  /** int64 `[windows, 1 or 3]`: start of transcript, then language and task where there are any. */
  readonly start: Value;
  /** `[windows, dModel]` at the last position. */
  readonly hidden: Value;
  readonly present: readonly KeyValues[];
  /** int64 `[windows, 1]`: position of the next token in the decoder's table. */
  readonly position: Value;
  readonly padding: Padding;
}

export interface PromptContext {
  readonly decoder: WhisperDecoder;
  readonly checkpoint: WhisperCheckpoint;
  readonly audio: readonly KeyValues[];
  /** int64 `[1]`. */
  readonly windows: Value;
}

/**
 * Reads the prompts; in between, a multilingual model hears which language it is, from a start of
 * transcript that has seen nothing else, as in openai-whisper. Prompts that are shorter than the
 * longest are padded in front: their positions count from their own first token.
 */
export function promptPass(graph: OnnxGraph, context: PromptContext): PromptEnd {
  return graph.in('prompt', () => new PromptPass(graph, context).build());
}

class PromptPass {
  readonly #graph: OnnxGraph;
  readonly #context: PromptContext;
  readonly #prompt: Value;
  readonly #startIndex: Value;
  readonly #task: Value | undefined;
  readonly #padding: Padding;
  /** int64 `[windows, prompt + task]`. */
  readonly #positions: Value;
  /** int64 `[windows, 1]`. */
  readonly #length: Value;

  constructor(graph: OnnxGraph, context: PromptContext) {
    this.#graph = graph;
    this.#context = context;
    const { decoder, checkpoint } = context;
    this.#prompt = graph.input('prompt', 'int64', ['windows', 'prompt_length']);
    this.#startIndex = graph.input('start_index', 'int64', ['windows', 1]);
    this.#task = checkpoint.tokens.isMultilingual
      ? graph.input('task', 'int64', ['windows', 'task_length'])
      : undefined;
    const ids = this.#task === undefined ? this.#prompt : this.#joined(this.#prompt, this.#task);
    const isToken = graph.op('Greater', [ids, graph.integers([PADDING])]);
    const counted = graph.op('Cast', [isToken], { to: { int: elementTypeCode('int64') } });
    const count = graph.op('CumSum', [counted, graph.integers([1], [])]);
    const zero = graph.integers([0]);
    this.#positions = graph.op('Max', [graph.op('Sub', [count, graph.integers([1])]), zero]);
    this.#length = graph.op('Gather', [count, graph.integers([-1])], { axis: { int: 1 } });
    const bias = graph.op('Where', [isToken, graph.float(0), graph.float(UNSEEN)]);
    const rows = graph.op('Unsqueeze', [bias, graph.integers([1, 2])]);
    // More than is ever said behind it.
    const pads = graph.integers([0, 0, 0, 0, 0, 0, 0, checkpoint.maxTokens]);
    const wide = graph.op('Pad', [rows, pads]);
    this.#padding = {
      any: graph.input('any_padding', 'bool', []),
      bias:
        decoder.computeType === 'float32'
          ? wide
          : graph.op('Cast', [wide], { to: { int: elementTypeCode(decoder.computeType) } }),
    };
  }

  build(): PromptEnd {
    const graph = this.#graph;
    const { decoder, audio, windows } = this.#context;
    const promptLength = this.#width(this.#prompt);
    const first = { audio, padding: this.#padding };
    const start = decoder.pass(graph, {
      ...first,
      ids: this.#readable(this.#prompt),
      positions: this.#between(graph.integers([0]), promptLength),
      past: decoder.emptyPast(graph, windows),
    });
    this.#noSpeech(this.#at(start.hidden, this.#startIndex));
    const ofStart = graph.op('GatherElements', [this.#prompt, this.#startIndex], axis(1));
    const end = { position: this.#length, padding: this.#padding };
    if (this.#task === undefined) {
      return { ...end, start: ofStart, hidden: this.#last(start.hidden), present: start.present };
    }
    const languageIndex = graph.input('language_index', 'int64', ['windows', 1]);
    const task = this.#taskTokens(this.#task, this.#at(start.hidden, languageIndex));
    const full = decoder.pass(graph, {
      ...first,
      ids: this.#readable(task),
      positions: this.#between(promptLength, this.#width(this.#positions)),
      past: start.present,
    });
    return {
      ...end,
      start: this.#joined(ofStart, this.#languageAndTask(task)),
      hidden: this.#last(full.hidden),
      present: full.present,
    };
  }

  /** The first two of `task` that are no padding. */
  #languageAndTask(task: Value): Value {
    const graph = this.#graph;
    const isPadding = graph.op('Equal', [task, graph.integers([PADDING])]);
    const counted = graph.op('Cast', [isPadding], { to: { int: elementTypeCode('int64') } });
    const skipped = graph.op('ReduceSum', [counted, graph.integers([1])]);
    const indices = graph.op('Add', [skipped, graph.integers([0, 1], [1, 2])]);
    return graph.op('GatherElements', [task, indices], axis(1));
  }

  /** Probability of the no-speech token right after start of transcript, nothing suppressed. */
  #noSpeech(startHidden: Value): void {
    const graph = this.#graph;
    const { decoder, checkpoint } = this.#context;
    const { tokens, vocabularySize } = checkpoint;
    // In the two slices that the tokens are picked from: another would hold its weights once more.
    const text = decoder.logits(graph, startHidden, [0, tokens.timestampsStart]);
    const times = [tokens.timestampsStart, vocabularySize] as const;
    const timestamps = decoder.logits(graph, startHidden, times);
    const probabilities = graph.op('Softmax', [this.#joined(text, timestamps)], axis(1));
    const id = graph.integers([tokens.noSpeech], []);
    const probability = graph.op('Gather', [probabilities, id], axis(1));
    graph.output('no_speech_prob', probability, 'float32', ['windows']);
  }

  /** `task` with the most likely language where it is to be detected. */
  #taskTokens(task: Value, startHidden: Value): Value {
    const graph = this.#graph;
    const { decoder, checkpoint } = this.#context;
    const { languagesStart, translate } = checkpoint.tokens;
    const shape = ['windows', translate - languagesStart];
    const bias = graph.input('language_bias', 'float32', shape);
    const all = decoder.logits(graph, startHidden, [languagesStart, translate]);
    const scores = graph.op('Add', [all, bias]);
    const probabilities = graph.op('Softmax', [scores], axis(1));
    graph.output('language_probs', probabilities, 'float32', shape);
    const best = graph.op('ArgMax', [scores], axis(1));
    const detected = graph.op('Add', [best, graph.integers([languagesStart])]);
    const unknown = graph.op('Equal', [task, graph.integers([DETECT_LANGUAGE])]);
    return graph.op('Where', [unknown, detected, task]);
  }

  /** Padding as a token that exists: what is made of it is not seen. A query as what it stands for. */
  #readable(ids: Value): Value {
    const graph = this.#graph;
    const isQuery = graph.op('Equal', [ids, graph.integers([LANGUAGE_QUERY])]);
    const start = graph.integers([this.#context.checkpoint.tokens.startOfTranscript]);
    return graph.op('Where', [isQuery, start, graph.op('Max', [ids, graph.integers([0])])]);
  }

  #between(start: Value, end: Value): Value {
    return this.#graph.op('Slice', [this.#positions, start, end, this.#graph.integers([1])]);
  }

  #joined(left: Value, right: Value): Value {
    return this.#graph.op('Concat', [left, right], axis(1));
  }

  /** int64 `[1]`. */
  #width(value: Value): Value {
    const graph = this.#graph;
    return graph.op('Gather', [graph.op('Shape', [value]), graph.integers([1])]);
  }

  /** `[windows, positions, dModel]` → `[windows, dModel]` at a place of each window's own. */
  #at(hidden: Value, index: Value): Value {
    const graph = this.#graph;
    const places = graph.op('Unsqueeze', [index, graph.integers([2])]);
    const rows = graph.op('GatherND', [hidden, places], { batch_dims: { int: 1 } });
    return graph.op('Squeeze', [rows, graph.integers([1])]);
  }

  /** `[windows, positions, dModel]` → `[windows, dModel]`. */
  #last(hidden: Value): Value {
    const graph = this.#graph;
    const row = graph.op('Gather', [hidden, graph.integers([-1])], axis(1));
    return graph.op('Squeeze', [row, graph.integers([1])]);
  }
}

const axis = (index: number) => ({ axis: { int: index } });
