type Types = readonly string[];

const FLOATS: Types = ['float32', 'float16'];
const NUMBERS: Types = [...FLOATS, 'int64'];
const ANY: Types = [...NUMBERS, 'bool', 'uint8'];
const BOOL: Types = ['bool'];
const INT64: Types = ['int64'];

interface Kernel {
  /** Types of the inputs that are on the GPU, by place; the last stands for those after it. */
  readonly inputs: readonly Types[];
  /** Places of inputs that the kernel reads on the CPU: sizes, bounds, axes, conditions. */
  readonly onHost?: readonly number[];
}

const kernel = (inputs: readonly Types[], onHost: readonly number[] = []): Kernel => ({
  inputs,
  onHost,
});
const all = (operators: string, types: Types, onHost: readonly number[] = []): [string, Kernel][] =>
  operators.split(' ').map((operator) => [operator, kernel([types], onHost)]);

/**
 * What ONNX Runtime's CUDA provider has a kernel for at opset 18, of the types that our graphs have:
 * https://github.com/microsoft/onnxruntime/blob/001d12d2623fd411ce0f83d05abb5e82304a3389/docs/OperatorKernels.md
 * An operator or type that is not here would run on the CPU, in a Loop at every step.
 */
export const CUDA_KERNELS: ReadonlyMap<string, Kernel> = new Map([
  ...all('Add Sub Mul Div Max Min Neg Abs', NUMBERS),
  ...all('Greater GreaterOrEqual Less LessOrEqual', NUMBERS),
  ...all('Exp Log Sqrt Softmax LogSoftmax ArgMax', FLOATS),
  ...all('Conv MatMul FusedMatMul Gelu LayerNormalization MultiHeadAttention', FLOATS),
  ...all('And Or Not', BOOL),
  ...all('Equal', [...NUMBERS, 'bool']),
  ...all('Cast', [...ANY, 'bfloat16']),
  ...all('Concat Gather GatherElements Identity Shape ScatterElements ScatterND Transpose', ANY),
  ...all('Expand Reshape Squeeze Unsqueeze Split', ANY, [1]),
  ...all('Slice', ANY, [1, 2, 3, 4]),
  ...all('GatherND', [...NUMBERS, 'bool']),
  ...all('ReduceMax ReduceSum', NUMBERS, [1]),
  ...all('ReduceL2', FLOATS, [1]),
  ...all('ReduceMean ReduceLogSumExp', FLOATS, [1]),
  ...all('CumSum TopK', NUMBERS, [1]),
  ...all('NonZero', ANY),
  ['Pad', kernel([[...FLOATS, 'bool']], [1])],
  ['Range', kernel([['float32', 'int64']], [0, 1, 2])],
  ['ConstantOfShape', kernel([INT64], [0])],
  // No bool between which to choose.
  ['Where', kernel([BOOL, [...NUMBERS, 'uint8']])],
  ['If', kernel([BOOL], [0])],
  ['Loop', kernel([ANY], [0, 1])],
  ['MatMulNBits', kernel([FLOATS, ['uint8'], FLOATS])],
  ['GatherBlockQuantized', kernel([['uint8'], INT64, FLOATS])],
]);
