import { createSession } from '../../models/engine/onnx-session.ts';
import { type InferenceSession, Tensor } from '../../models/engine/onnxruntime.ts';
import { OnnxGraph } from '../../models/graph/onnx-graph.ts';
import type { Weights } from '../../models/graph/weights.ts';
import type { WhisperCheckpoint } from '../../models/whisper/checkpoint.ts';
import { WhisperDecoder } from '../../models/whisper/decoder.ts';
import type { NextScores } from './beam-oracle.ts';

/** The decoder alone, without cache: whole sequences in, scores of the next token out. */
export class StepScores {
  readonly #session: InferenceSession;
  readonly #checkpoint: WhisperCheckpoint;

  private constructor(session: InferenceSession, checkpoint: WhisperCheckpoint) {
    this.#session = session;
    this.#checkpoint = checkpoint;
  }

  static async load(weights: Weights, checkpoint: WhisperCheckpoint): Promise<StepScores> {
    const graph = new OnnxGraph();
    const decoder = new WhisperDecoder(weights, checkpoint);
    const { dModel } = checkpoint;
    const audio = graph.input('audio', 'float32', [1, 1500, dModel]);
    const ids = graph.input('ids', 'int64', ['rows', 'length']);
    const { hidden } = decoder.pass(graph, {
      ids,
      positions: graph.input('positions', 'int64', ['length']),
      past: decoder.emptyPast(graph, graph.input('rows', 'int64', [1])),
      audio: decoder.audioKeyValues(graph, audio),
      grouping: {
        windows: graph.integers([1, -1, dModel]),
        rows: graph.op('Concat', [graph.op('Shape', [ids]), graph.integers([dModel])], {
          axis: { int: 0 },
        }),
      },
    });
    const last = graph.op('Gather', [hidden, graph.integers([-1], [])], { axis: { int: 1 } });
    const { vocabularySize } = checkpoint;
    const scores = decoder.logits(graph, last, [0, vocabularySize]);
    graph.output('scores', scores, 'float32', ['rows', vocabularySize]);
    const session = await createSession(graph.toModel(), { device: 'cpu', threads: 0 });
    return new StepScores(session, checkpoint);
  }

  /** @param audio one window's encoder output, `[1500, dModel]`. */
  after(prompt: readonly number[], audio: Float32Array): NextScores {
    const { dModel, vocabularySize } = this.#checkpoint;
    const int64 = (values: readonly number[], dims: readonly number[]): Tensor =>
      new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
    return async (sequences) => {
      const rows = sequences.map((said) => [...prompt, ...said]);
      const length = rows[0]!.length;
      const { scores } = await this.#session.run({
        audio: new Tensor('float32', audio, [1, 1500, dModel]),
        ids: int64(rows.flat(), [rows.length, length]),
        positions: int64([...rows[0]!.keys()], [length]),
        rows: int64([rows.length], [1]),
      });
      const data = scores!.data as Float32Array;
      return rows.map((_, row) => data.subarray(row * vocabularySize, (row + 1) * vocabularySize));
    };
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}
