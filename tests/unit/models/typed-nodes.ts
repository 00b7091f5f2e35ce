import onnxProto, { type onnx as Onnx } from 'onnx-proto';
import { CUDA_KERNELS } from './cuda-kernels.ts';

const { onnx } = onnxProto;
const TYPE_NAMES = new Map([
  [onnx.TensorProto.DataType.FLOAT, 'float32'],
  [onnx.TensorProto.DataType.FLOAT16, 'float16'],
  [onnx.TensorProto.DataType.BFLOAT16, 'bfloat16'],
  [onnx.TensorProto.DataType.UINT8, 'uint8'],
  [onnx.TensorProto.DataType.INT64, 'int64'],
  [onnx.TensorProto.DataType.BOOL, 'bool'],
]);
const PREDICATES = new Set('Equal Greater GreaterOrEqual Less LessOrEqual And Or Not'.split(' '));
const INT64_RESULTS = new Set(['Shape', 'ArgMax', 'NonZero']);
/** Of which input the results have the type, where it is not the first. */
const TYPE_GIVER = new Map([
  ['Where', 1],
  ['GatherBlockQuantized', 2],
]);

export interface TypedNode {
  readonly operator: string;
  readonly name: string;
  readonly inputs: readonly { readonly type: string; readonly isOnHost: boolean }[];
  readonly isInLoop: boolean;
}

/** What is known of a value: its type, and whether it is in the CPU's memory beside a GPU. */
interface Known {
  readonly type: string;
  readonly isOnHost: boolean;
  /** By whom it is made, seen from the graph that reads it. */
  readonly source: 'constant' | 'input' | 'node' | 'outer';
}

/**
 * Every node of a model and of its inner graphs with the types of its inputs, and where these are
 * when everything that can be is on a GPU. On the CPU: constants, what is fed, sizes (`Shape`), and
 * what is computed from sizes of the same graph, its inputs and constants, as ONNX Runtime places it:
 * `GetCpuPreferredNodes` in onnxruntime/core/framework/fallback_cpu_capability.cc.
 */
export function typedNodes(model: Uint8Array): TypedNode[] {
  const nodes: TypedNode[] = [];
  visit(onnx.ModelProto.decode(model).graph!, new Map(), {
    nodes,
    isInLoop: false,
    isInner: false,
  });
  return nodes;
}

interface Visit {
  readonly nodes: TypedNode[];
  readonly isInLoop: boolean;
  readonly isInner: boolean;
}

function visit(graph: Onnx.IGraphProto, outer: ReadonlyMap<string, Known>, at: Visit): Known[] {
  const known = new Map<string, Known>();
  for (const [name, value] of outer) {
    known.set(name, value.source === 'constant' ? value : { ...value, source: 'outer' });
  }
  for (const { name, dataType } of graph.initializer ?? []) {
    known.set(name!, { type: typeName(dataType!), isOnHost: true, source: 'constant' });
  }
  for (const { name, type } of graph.input ?? []) {
    // The state of a Loop is where its body makes it.
    const typeOf = typeName(type!.tensorType!.elemType!);
    known.set(name!, { type: typeOf, isOnHost: !at.isInner, source: 'input' });
  }
  for (const node of graph.node ?? []) visitNode(node, known, at);
  return (graph.output ?? []).map(({ name }) => known.get(name!)!);
}

function visitNode(node: Onnx.INodeProto, known: Map<string, Known>, at: Visit): void {
  const operator = node.opType!;
  const inputs = node.input!.filter((name) => name !== '').map((name) => known.get(name)!);
  at.nodes.push({ operator, name: node.name!, inputs, isInLoop: at.isInLoop });
  const inner = (node.attribute ?? [])
    .map(({ g }) => g)
    .filter((graph) => graph != null && (graph.node ?? []).length > 0)
    .map((graph) =>
      visit(graph!, known, { ...at, isInner: true, isInLoop: at.isInLoop || operator === 'Loop' }),
    );
  // A Loop's first output of its body is the condition.
  const ofInner = operator === 'Loop' ? inner[0]!.slice(1) : inner[0];
  for (const [place, name] of node.output!.entries()) {
    const type = ofInner?.[place]?.type ?? resultType(node, inputs, place);
    known.set(name, { type, isOnHost: isOnHost(node, inputs), source: 'node' });
  }
}

function resultType(node: Onnx.INodeProto, inputs: readonly Known[], place: number): string {
  const operator = node.opType!;
  if (PREDICATES.has(operator)) return 'bool';
  if (INT64_RESULTS.has(operator) || (operator === 'TopK' && place === 1)) return 'int64';
  if (operator === 'ConstantOfShape') return 'float32';
  const to = node.attribute!.find(({ name }) => name === 'to');
  if (operator === 'Cast') return typeName(Number(to!.i));
  return inputs[TYPE_GIVER.get(operator) ?? 0]!.type;
}

/** `Shape` writes to the CPU; what needs nothing but that, inputs of the graph and constants follows. */
function isOnHost({ opType }: Onnx.INodeProto, inputs: readonly Known[]): boolean {
  if (opType === 'Shape') return true;
  const readOnHost = CUDA_KERNELS.get(opType!)?.onHost ?? [];
  const isMadeThere = ({ source, isOnHost: is }: Known): boolean => source === 'node' && is;
  const mayFollow = (input: Known, place: number): boolean =>
    input.type !== 'float16' &&
    (input.source === 'constant' ||
      input.source === 'input' ||
      (isMadeThere(input) && !readOnHost.includes(place)));
  return inputs.some(isMadeThere) && inputs.every(mayFollow);
}

function typeName(code: number): string {
  const name = TYPE_NAMES.get(code);
  if (name === undefined) throw new Error(`No name for element type ${code}`);
  return name;
}
