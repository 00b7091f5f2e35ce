import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';
import type { KeyValues } from './attention.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import { WhisperDecoder } from './decoder.ts';
import { type Scores, type TimestampState, TokenPicker } from './token-picker.ts';

/** The part after the encoder: `audio` `[batch, 1500, dModel]` → outputs as above. */
export function decodeGraph(
  graph: OnnxGraph,
  weights: Weights,
  checkpoint: WhisperCheckpoint,
  audio: Value,
): void {
  new DecodeGraph(graph, weights, checkpoint, audio).build();
}

interface Step {
  readonly token: Value;
  readonly logProb: Value;
  readonly finished: Value;
  readonly rules: TimestampState;
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
    this.#batch = graph.op('Slice', [
      graph.op('Shape', [audio]),
      graph.integers([0]),
      graph.integers([1]),
    ]);
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

  build(): void {
    const graph = this.#graph;
    const prompt = this.#promptPass();
    const first = this.#firstStep(prompt.hidden);
    const rest = this.#loop(first, prompt.present, prompt.length);
    const join = (one: Value, more: Value): Value =>
      graph.op('Squeeze', [
        graph.op('Concat', [graph.op('Unsqueeze', [one, graph.integers([0])]), more], {
          axis: { int: 0 },
        }),
        graph.integers([2]),
      ]);
    graph.output('tokens', join(first.token, rest.tokens), 'int64', ['steps', 'batch']);
    graph.output('log_probs', join(first.logProb, rest.logProbs), 'float32', ['steps', 'batch']);
  }

  /** Reads the prompt; in between, a multilingual model hears which language it is. */
  #promptPass() {
    const graph = this.#graph;
    const { prompt, startIndex } = this.#inputs;
    const promptLength = this.#length(prompt);
    const start = this.#decoder.pass(graph, {
      ids: prompt,
      positions: this.#positions(graph.integers([0]), promptLength),
      past: this.#decoder.emptyPast(graph, this.#batch),
      audio: this.#audio,
    });
    const startHidden = this.#at(start.hidden, startIndex);
    this.#noSpeech(startHidden);
    if (!this.#checkpoint.tokens.isMultilingual) {
      return { hidden: this.#lastOf(start.hidden), present: start.present, length: promptLength };
    }
    const task = this.#taskTokens(startHidden);
    const length = graph.op('Add', [promptLength, this.#length(task)]);
    const full = this.#decoder.pass(graph, {
      ids: task,
      positions: this.#positions(promptLength, length),
      past: start.present,
      audio: this.#audio,
    });
    return { hidden: this.#lastOf(full.hidden), present: full.present, length };
  }

  /** Probability of the no-speech token right after start of transcript, nothing suppressed. */
  #noSpeech(startHidden: Value): void {
    const graph = this.#graph;
    const { tokens, vocabularySize } = this.#checkpoint;
    const scores = this.#decoder.logits(graph, startHidden, [0, vocabularySize]);
    const probabilities = graph.op('Softmax', [scores], { axis: { int: 1 } });
    const id = graph.integers([tokens.noSpeech], []);
    const probability = graph.op('Gather', [probabilities, id], { axis: { int: 1 } });
    graph.output('no_speech_prob', probability, 'float32', ['batch']);
  }

  /** `task` with the most likely language where −1 stands. */
  #taskTokens(startHidden: Value): Value {
    const graph = this.#graph;
    const { tokens } = this.#checkpoint;
    const { languagesStart, translate } = tokens;
    const task = graph.input('task', 'int64', ['batch', 'task_length']);
    const scores = this.#decoder.logits(graph, startHidden, [languagesStart, translate]);
    const probabilities = graph.op('Softmax', [scores], { axis: { int: 1 } });
    graph.output('language_probs', probabilities, 'float32', ['batch', translate - languagesStart]);
    const best = graph.op('ArgMax', [scores], { axis: { int: 1 } });
    const detected = graph.op('Add', [best, graph.integers([languagesStart])]);
    const unknown = graph.op('Less', [task, graph.integers([0])]);
    return graph.op('Where', [unknown, detected, task]);
  }

  #firstStep(hidden: Value): Step {
    const graph = this.#graph;
    const { endOfText } = this.#checkpoint.tokens;
    return graph.in('first_token', () => {
      const picker = this.#picker(graph);
      const scores = this.#scores(graph, hidden);
      const text = graph.op('Add', [scores.text, this.#inputs.beginBias]);
      const uniform = graph.op('Gather', [this.#inputs.uniforms, graph.integers([0], [])]);
      const pick = picker.first({ ...scores, text }, this.#inputs.maxInitialTimestamp, uniform);
      const finished = graph.op('Equal', [pick.token, graph.integers([endOfText])]);
      return { ...pick, finished, rules: picker.advance(pick.token) };
    });
  }

  #loop(first: Step, past: readonly KeyValues[], position: Value) {
    const graph = this.#graph;
    const trips = graph.op('Sub', [this.#inputs.maxTokens, graph.integers([1], [])]);
    const body = graph.inner('loop', (inner) => this.#loopBody(inner));
    const { lastIs, previousIs, latest } = first.rules;
    const state = [first.token, position, first.finished, lastIs, previousIs, latest];
    const keyValues = past.flatMap(({ keys, values }) => [keys, values]);
    const inputs = [trips, this.#someUnfinished(graph, first.finished), ...state, ...keyValues];
    const outputs = graph.ops('Loop', inputs, state.length + keyValues.length + 2, {
      body: { graph: body },
    });
    return { tokens: outputs.at(-2)!, logProbs: outputs.at(-1)! };
  }

  /** One token of every row. Rows that have ended repeat end of text at no cost in log-probability. */
  #loopBody(graph: OnnxGraph): void {
    const step = graph.input('step', 'int64', []);
    graph.input('unfinished', 'bool', []);
    const token = graph.input('token', 'int64', ['batch', 1]);
    const position = graph.input('position', 'int64', [1]);
    const finished = graph.input('finished', 'bool', ['batch', 1]);
    const rules = {
      lastIs: graph.input('last_is_timestamp', 'bool', ['batch', 1]),
      previousIs: graph.input('previous_is_timestamp', 'bool', ['batch', 1]),
      latest: graph.input('latest_timestamp', 'int64', ['batch', 1]),
    };
    const past = this.#pastInputs(graph);
    const pass = this.#decoder.pass(graph, {
      ids: token,
      positions: position,
      past,
      audio: this.#audio,
    });
    const picker = this.#picker(graph);
    const one = graph.integers([1]);
    const hidden = graph.op('Squeeze', [pass.hidden, one]);
    const uniform = graph.op('Gather', [
      this.#inputs.uniforms,
      graph.op('Add', [step, graph.integers([1], [])]),
    ]);
    const pick = picker.next(this.#scores(graph, hidden), rules, uniform);
    const end = graph.integers([this.#checkpoint.tokens.endOfText]);
    const next = graph.op('Where', [finished, end, pick.token]);
    const logProb = graph.op('Where', [finished, graph.float(0), pick.logProb]);
    const nowFinished = graph.op('Or', [finished, graph.op('Equal', [next, end])]);
    const nextRules = picker.advance(next, rules);

    graph.output('next_unfinished', this.#someUnfinished(graph, nowFinished), 'bool', []);
    graph.output('next_token', next, 'int64', ['batch', 1]);
    graph.output('next_position', graph.op('Add', [position, one]), 'int64', [1]);
    graph.output('next_finished', nowFinished, 'bool', ['batch', 1]);
    graph.output('next_last_is_timestamp', nextRules.lastIs, 'bool', ['batch', 1]);
    graph.output('next_previous_is_timestamp', nextRules.previousIs, 'bool', ['batch', 1]);
    graph.output('next_latest_timestamp', nextRules.latest, 'int64', ['batch', 1]);
    this.#presentOutputs(graph, pass.present);
    graph.output('picked_token', next, 'int64', ['batch', 1]);
    graph.output('picked_log_prob', logProb, 'float32', ['batch', 1]);
  }

  #pastInputs(graph: OnnxGraph): KeyValues[] {
    return this.#audio.map((_, layer) => ({
      keys: graph.input(`past_keys.${layer}`, this.#decoder.computeType, this.#keyShape('past')),
      values: graph.input(
        `past_values.${layer}`,
        this.#decoder.computeType,
        this.#keyShape('past'),
      ),
    }));
  }

  #presentOutputs(graph: OnnxGraph, present: readonly KeyValues[]): void {
    const type = this.#decoder.computeType;
    for (const [layer, { keys, values }] of present.entries()) {
      graph.output(`present_keys.${layer}`, keys, type, this.#keyShape('present'));
      graph.output(`present_values.${layer}`, values, type, this.#keyShape('present'));
    }
  }

  #keyShape(length: string): (number | string)[] {
    const { decoderHeads, dModel } = this.#checkpoint;
    return ['batch', decoderHeads, length, dModel / decoderHeads];
  }

  #scores(graph: OnnxGraph, hidden: Value): Scores {
    const { tokens, vocabularySize } = this.#checkpoint;
    const text = this.#decoder.logits(graph, hidden, [0, tokens.timestampsStart]);
    return {
      text: graph.op('Add', [text, this.#inputs.textBias]),
      timestamp: this.#decoder.logits(graph, hidden, [tokens.timestampsStart, vocabularySize]),
    };
  }

  #picker(graph: OnnxGraph): TokenPicker {
    const { tokens, vocabularySize } = this.#checkpoint;
    return new TokenPicker(graph, tokens, vocabularySize, this.#inputs);
  }

  #someUnfinished(graph: OnnxGraph, finished: Value): Value {
    const left = graph.op('Cast', [graph.op('Not', [finished])], { to: { int: 7 } });
    const most = graph.op('ReduceMax', [left, graph.integers([0, 1])], { keepdims: { int: 0 } });
    return graph.op('Greater', [most, graph.integers([0], [])]);
  }

  #length(ids: Value): Value {
    const graph = this.#graph;
    return graph.op('Slice', [graph.op('Shape', [ids]), graph.integers([1]), graph.integers([2])]);
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
