import { Tensor } from 'onnxruntime-node';
import { createSession } from '../../models/engine/onnx-session.ts';
import type { TensorMap } from '../../models/engine/protocol.ts';
import { OnnxGraph } from '../../models/graph/onnx-graph.ts';

export interface GraphOutput {
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** Builds a graph, runs it once on the CPU and gives back every output. */
export async function runGraph(
  build: (graph: OnnxGraph) => void,
  feeds: TensorMap,
): Promise<Record<string, GraphOutput>> {
  const graph = new OnnxGraph();
  build(graph);
  const session = await createSession(graph.toModel(), { device: 'cpu', threads: 0 });
  const inputs = Object.entries(feeds)
    .filter(([name]) => session.inputNames.includes(name))
    .map(([name, { type, data, dims }]) => [name, new Tensor(type, data as never, dims)]);
  const outputs = await session.run(Object.fromEntries(inputs));
  await session.release();
  return outputs as unknown as Record<string, GraphOutput>;
}

export const rowOf = ({ data, dims }: GraphOutput, row: number): number[] => {
  const width = dims.at(-1)!;
  return Array.from(data.subarray(row * width, (row + 1) * width), Number);
};
