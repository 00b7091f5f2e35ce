import onnxProto, { type onnx as Onnx } from 'onnx-proto';

const { onnx } = onnxProto; // A CommonJS module: its named exports are types only.

export type ElementType =
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'uint8'
  | 'int8'
  | 'int32'
  | 'int64'
  | 'bool';

/** Name of a tensor in the graph; '' stands for an optional input that is left out. */
export type Value = string;

/** A number is a fixed size, a string the name of a size known at run time. */
export type Dimension = number | string;

type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly text: string }
  | { readonly graph: Onnx.GraphProto };

export type Attributes = Readonly<Record<string, Attribute>>;

/** Bytes of a file that hold a tensor, row-major and little-endian. */
export interface TensorLocation {
  /** Path relative to the session's external-data folder. */
  readonly file: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

const MICROSOFT_OPS = new Set([
  'DynamicQuantizeMatMul',
  'FusedMatMul',
  'GatherBlockQuantized',
  'Gelu',
  'MatMulIntegerToFloat',
  'MatMulNBits',
  'MultiHeadAttention',
  'SkipLayerNormalization',
]);

/** 17/18 is where every operator that we use has a CUDA kernel of the same version. */
const ONNX_OPSET = 18;
const ONNX_IR_VERSION = 8;

const ELEMENT_TYPES = {
  float32: onnx.TensorProto.DataType.FLOAT,
  float16: onnx.TensorProto.DataType.FLOAT16,
  bfloat16: onnx.TensorProto.DataType.BFLOAT16,
  uint8: onnx.TensorProto.DataType.UINT8,
  int8: onnx.TensorProto.DataType.INT8,
  int32: onnx.TensorProto.DataType.INT32,
  int64: onnx.TensorProto.DataType.INT64,
  bool: onnx.TensorProto.DataType.BOOL,
} as const;

export const elementTypeCode = (type: ElementType): number => ELEMENT_TYPES[type];

/**
 * Writes one ONNX graph. Nodes are named by the scope they are made in
 * (`encoder.layers.0.self_attn.q_proj/MatMul`), so that a profile can be read against the network.
 * Inner graphs (Loop, If) see the values of the outer one by name.
 */
export class OnnxGraph {
  readonly #nodes: Onnx.INodeProto[] = [];
  readonly #initializers: Onnx.ITensorProto[] = [];
  readonly #inputs: Onnx.IValueInfoProto[] = [];
  readonly #outputs: Onnx.IValueInfoProto[] = [];
  readonly #constants = new Map<string, Value>();
  readonly #usedNames: Map<string, number>;
  readonly #outermost: OnnxGraph;
  #scope: string;

  constructor(parent?: OnnxGraph) {
    this.#usedNames = parent === undefined ? new Map() : parent.#usedNames;
    this.#outermost = parent === undefined ? this : parent.#outermost;
    this.#scope = parent === undefined ? '' : parent.#scope;
  }

  /** Runs `build` with `name` added to the names of everything made inside. */
  in<T>(name: string, build: () => T): T {
    const outer = this.#scope;
    this.#scope = outer === '' ? name : `${outer}.${name}`;
    try {
      return build();
    } finally {
      this.#scope = outer;
    }
  }

  input(name: string, type: ElementType, shape: readonly Dimension[]): Value {
    this.#inputs.push(valueInfo(name, type, shape));
    return name;
  }

  /** Publishes `value` under `name`. */
  output(name: string, value: Value, type: ElementType, shape: readonly Dimension[]): void {
    this.#nodes.push({
      opType: 'Identity',
      name: `output/${name}`,
      input: [value],
      output: [name],
    });
    this.#outputs.push(valueInfo(name, type, shape));
  }

  op(type: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.ops(type, inputs, 1, attributes)[0]!;
  }

  /** A node with several outputs. */
  ops(
    type: string,
    inputs: readonly Value[],
    outputCount: number,
    attributes: Attributes = {},
  ): Value[] {
    const name = this.#uniqueName(type);
    const output = Array.from({ length: outputCount }, (_, index) =>
      outputCount === 1 ? name : `${name}:${index}`,
    );
    this.#nodes.push({
      opType: type,
      domain: MICROSOFT_OPS.has(type) ? 'com.microsoft' : '',
      name,
      input: [...inputs],
      output,
      attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
    });
    return output;
  }

  floats(values: Float32Array | readonly number[], shape: readonly number[]): Value {
    const data = Float32Array.from(values);
    return this.#constant('float32', shape, new Uint8Array(data.buffer));
  }

  integers(values: readonly number[], shape: readonly number[] = [values.length]): Value {
    const data = BigInt64Array.from(values, BigInt);
    return this.#constant('int64', shape, new Uint8Array(data.buffer));
  }

  bytes(values: Uint8Array, shape: readonly number[], type: 'uint8' | 'int8' = 'uint8'): Value {
    return this.#constant(type, shape, values);
  }

  booleans(values: readonly boolean[], shape: readonly number[]): Value {
    return this.#constant('bool', shape, Uint8Array.from(values, Number));
  }

  float(value: number): Value {
    return this.floats([value], []);
  }

  /** A weight that stays in its file. Always declared in the outermost graph. */
  weight(
    name: string,
    type: ElementType,
    shape: readonly number[],
    location: TensorLocation,
  ): Value {
    return this.#outermost.#declareOnce(name, () => ({
      name,
      dataType: ELEMENT_TYPES[type],
      dims: [...shape],
      dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
      externalData: [
        { key: 'location', value: location.file },
        { key: 'offset', value: String(location.offsetBytes) },
        { key: 'length', value: String(location.lengthBytes) },
      ],
    }));
  }

  /** Calls `build` once per `key` in the outermost graph: casts of weights belong there. */
  once(key: string, build: (outermost: OnnxGraph) => Value): Value {
    const outermost = this.#outermost;
    const known = outermost.#constants.get(key);
    if (known !== undefined) return known;
    const scope = outermost.#scope;
    outermost.#scope = '';
    const value = build(outermost);
    outermost.#scope = scope;
    outermost.#constants.set(key, value);
    return value;
  }

  /** The body of a Loop or the branch of an If. */
  inner(name: string, build: (graph: OnnxGraph) => void): Onnx.GraphProto {
    const graph = new OnnxGraph(this);
    graph.in(name, () => build(graph));
    return graph.#toGraphProto(name);
  }

  /** The serialised model. */
  toModel(): Uint8Array {
    const model = onnx.ModelProto.create({
      irVersion: ONNX_IR_VERSION,
      producerName: 'stt-worker',
      opsetImport: [
        { domain: '', version: ONNX_OPSET },
        { domain: 'com.microsoft', version: 1 },
      ],
      graph: this.#toGraphProto('model'),
    });
    return onnx.ModelProto.encode(model).finish();
  }

  #toGraphProto(name: string): Onnx.GraphProto {
    return onnx.GraphProto.create({
      name,
      node: this.#nodes,
      initializer: this.#initializers,
      input: this.#inputs,
      output: this.#outputs,
    });
  }

  #constant(type: ElementType, shape: readonly number[], bytes: Uint8Array): Value {
    const outermost = this.#outermost;
    const small = bytes.length <= 64;
    const key = `${type}[${shape.join(',')}]${small ? Buffer.from(bytes).toString('hex') : ''}`;
    const name = small ? `constant/${key}` : outermost.#uniqueName('constant');
    return outermost.#declareOnce(name, () => ({
      name,
      dataType: ELEMENT_TYPES[type],
      dims: [...shape],
      rawData: bytes,
    }));
  }

  #declareOnce(name: string, create: () => Onnx.ITensorProto): Value {
    if (!this.#constants.has(name)) {
      this.#constants.set(name, name);
      this.#initializers.push(create());
    }
    return name;
  }

  #uniqueName(type: string): string {
    const stem = this.#scope === '' ? type : `${this.#scope}/${type}`;
    const uses = this.#usedNames.get(stem) ?? 0;
    this.#usedNames.set(stem, uses + 1);
    return uses === 0 ? stem : `${stem}_${uses}`;
  }
}

function valueInfo(
  name: string,
  type: ElementType,
  shape: readonly Dimension[],
): Onnx.IValueInfoProto {
  const dim = shape.map((size) =>
    typeof size === 'number' ? { dimValue: size } : { dimParam: size },
  );
  return { name, type: { tensorType: { elemType: ELEMENT_TYPES[type], shape: { dim } } } };
}

function attributeProto(name: string, attribute: Attribute): Onnx.IAttributeProto {
  const types = onnx.AttributeProto.AttributeType;
  if ('int' in attribute) return { name, type: types.INT, i: attribute.int };
  if ('float' in attribute) return { name, type: types.FLOAT, f: attribute.float };
  if ('ints' in attribute) return { name, type: types.INTS, ints: [...attribute.ints] };
  if ('text' in attribute) return { name, type: types.STRING, s: Buffer.from(attribute.text) };
  return { name, type: types.GRAPH, g: attribute.graph };
}
