import { createSession } from '../../models/engine/onnx-session.ts';
import { type InferenceSession, Tensor } from '../../models/engine/onnxruntime.ts';
import type { TensorMap } from '../../models/engine/protocol.ts';
import { OnnxGraph } from '../../models/graph/onnx-graph.ts';

export interface GraphOutput {
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** A graph that is built once and run as often as wanted, on the CPU. */
export class GraphRunner {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async load(build: (graph: OnnxGraph) => void): Promise<GraphRunner> {
    const graph = new OnnxGraph();
    build(graph);
    return new GraphRunner(await createSession(graph.toModel(), { device: 'cpu', threads: 0 }));
  }

  /** Gives back every output; feeds that the graph does not know are left out. */
  async run(feeds: TensorMap): Promise<Record<string, GraphOutput>> {
    const inputs = Object.entries(feeds)
      .filter(([name]) => this.#session.inputNames.includes(name))
      .map(([name, { type, data, dims }]) => [name, new Tensor(type, data as never, dims)]);
    const outputs = await this.#session.run(Object.fromEntries(inputs));
    return outputs as unknown as Record<string, GraphOutput>;
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

/** Builds a graph, runs it once on the CPU and gives back every output. */
export async function runGraph(
  build: (graph: OnnxGraph) => void,
  feeds: TensorMap,
): Promise<Record<string, GraphOutput>> {
  const graph = await GraphRunner.load(build);
  try {
    return await graph.run(feeds);
  } finally {
    await graph.release();
  }
}

export const rowOf = ({ data, dims }: GraphOutput, row: number): number[] => {
  const width = dims.at(-1)!;
  return Array.from(data.subarray(row * width, (row + 1) * width), Number);
};
