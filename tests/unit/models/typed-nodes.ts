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
}

/**
 * Every node of a model and of its inner graphs with the types of its inputs, and where these are
 * when everything that can be is on a GPU. On the CPU: constants, what is fed, sizes (`Shape`), and
 * what is computed from sizes and constants alone, as ONNX Runtime places it
 * (onnxruntime/core/framework/fallback_cpu_capability.cc).
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
  const known = new Map(outer);
  for (const { name, dataType } of graph.initializer ?? []) {
    known.set(name!, { type: typeName(dataType!), isOnHost: true });
  }
  for (const { name, type } of graph.input ?? []) {
    // The state of a Loop is where its body makes it.
    known.set(name!, { type: typeName(type!.tensorType!.elemType!), isOnHost: !at.isInner });
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
    known.set(name, { type, isOnHost: isOnHost(node, inputs) });
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

/** `Shape` writes to the CPU; a node follows its first input there, if it is made of small things. */
function isOnHost({ opType }: Onnx.INodeProto, inputs: readonly Known[]): boolean {
  if (opType === 'Shape') return true;
  if (CUDA_KERNELS.get(opType!)?.onHost?.includes(0)) return false;
  return inputs.every((input) => input.isOnHost && /^(?:int64|bool)$/.test(input.type));
}

function typeName(code: number): string {
  const name = TYPE_NAMES.get(code);
  if (name === undefined) throw new Error(`No name for element type ${code}`);
  return name;
}
