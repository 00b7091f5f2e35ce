import { SttError } from '../../core/errors.ts';
import { type ByteRange, byteMatrix, byteProduct, byteRows } from './byte-matrix.ts';
import { type ElementType, elementTypeCode, type OnnxGraph, type Value } from './onnx-graph.ts';
import { BYTES_PER_ELEMENT, type StoredTensor, type TensorTable } from './safetensors.ts';

/** Stored byte that stands for 0. */
export const QUANTIZATION_ZERO_POINT = 128;

const ELEMENT_OF_STORED: Readonly<Record<StoredTensor['type'], ElementType>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  U8: 'uint8',
};

export interface WeightOptions {
  /** Type that the network computes in; stored weights are cast to it when the session loads. */
  readonly computeType: 'float32' | 'float16';
  /**
   * Names of matrices that are expanded to `computeType` at load although stored in 8 bits.
   * Matrices met by long sequences gain (compute-bound), those met token by token lose (memory-bound).
   */
  readonly expandQuantized: (name: string) => boolean;
  /** Whether a decoder's steps hear the audio in 8 bits, see `byteKeyValues`; float by default. */
  readonly audioInBytes?: boolean;
  /**
   * What is known of the activations of a matrix that multiplies bytes, itself and them; null for one
   * that does not, which is every one where `computeType` is not float32.
   */
  readonly byteRange?: (name: string) => ByteRange | null;
}

/** Brings a checkpoint's tensors into a graph: as external data, cast or quantized as stored. */
export class Weights {
  readonly #tensors: TensorTable;
  readonly #options: WeightOptions;

  constructor(tensors: TensorTable, options: WeightOptions) {
    this.#tensors = tensors;
    this.#options = options;
  }

  get computeType(): 'float32' | 'float16' {
    return this.#options.computeType;
  }

  get audioInBytes(): boolean {
    return this.#options.audioInBytes ?? false;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** The whole tensor in the compute type. */
  tensor(graph: OnnxGraph, name: string): Value {
    const stored = this.#stored(name);
    return this.#cast(graph, name, stored.type, this.#declare(graph, name, stored));
  }

  /**
   * `x · Wᵀ (+ bias)`, x `[…, inputs]`, W stored `[outputs, inputs]` or quantized.
   * `rows` restricts W to `[start, end)`, which reads only those rows of the file.
   */
  linear(graph: OnnxGraph, x: Value, name: string, rows?: readonly [number, number]): Value {
    const matrix = `${name}.weight`;
    const bias = this.has(`${name}.bias`) ? this.tensor(graph, `${name}.bias`) : '';
    const quantized = this.#tensors.has(`${matrix}.q`);
    const range = rows === undefined ? this.#options.byteRange?.(matrix) : null;
    if (range) return biased(graph, this.#byteProduct(graph, x, matrix, range), bias);
    if (quantized && !this.#options.expandQuantized(matrix)) {
      return this.#quantizedLinear(graph, { x, matrix, bias, rows });
    }
    const weight = this.#whole(graph, matrix, rows);
    return biased(graph, graph.op('FusedMatMul', [x, weight], { transB: { int: 1 } }), bias);
  }

  /** Rows of an embedding table, ids int64 of any shape. */
  embedding(graph: OnnxGraph, ids: Value, name: string): Value {
    const matrix = `${name}.weight`;
    if (!this.#tensors.has(`${matrix}.q`)) {
      return graph.op('Gather', [this.#matrix(graph, matrix), ids]);
    }
    const bytes = this.#stored(`${matrix}.q`);
    const [rows = 0, blocks = 0, blockLength = 0] = bytes.shape;
    const shape = [rows, blocks * blockLength];
    const table = this.#declare(graph, `${matrix}.table`, { ...bytes, shape });
    const scales = this.tensor(graph, `${matrix}.scale`);
    return graph.op('GatherBlockQuantized', [table, ids, scales], {
      bits: { int: 8 },
      block_size: { int: blockLength },
      gather_axis: { int: 0 },
      quantize_axis: { int: 1 },
    });
  }

  #byteProduct(graph: OnnxGraph, x: Value, matrix: string, range: ByteRange): Value {
    const quantized = this.#tensors.get(`${matrix}.q`);
    const [outputs = 0, ...rest] = (quantized ?? this.#stored(matrix)).shape;
    const inputs = rest.reduce((product, length) => product * length, 1);
    const weight = this.#whole(graph, matrix);
    // The runtime makes one of equal nodes: rows that several matrices meet become bytes once.
    return byteProduct(
      graph,
      byteRows(graph, x, inputs, range),
      graph.in(matrix, () => byteMatrix(graph, weight, outputs)),
    );
  }

  /** As stored or expanded, in the compute type. */
  #whole(graph: OnnxGraph, matrix: string, rows?: readonly [number, number]): Value {
    return this.#tensors.has(`${matrix}.q`)
      ? this.#expanded(graph, matrix, rows)
      : this.#matrix(graph, matrix, rows);
  }

  #quantizedLinear(
    graph: OnnxGraph,
    {
      x,
      matrix,
      bias,
      rows,
    }: { x: Value; matrix: string; bias: Value; rows: readonly [number, number] | undefined },
  ): Value {
    const quantized = this.#quantized(graph, matrix, rows);
    const scales = this.#cast(graph, quantized.scalesName, 'F32', quantized.scales);
    const inputs = [x, quantized.bytes, scales, '', '', bias];
    return graph.op('MatMulNBits', bias === '' ? inputs.slice(0, 3) : inputs, {
      K: { int: quantized.columns },
      N: { int: quantized.rows },
      bits: { int: 8 },
      block_size: { int: quantized.blockLength },
      accuracy_level: { int: 4 },
    });
  }

  /** `(q − 128) · scale` as constant nodes: folded once when the session loads. */
  #expanded(graph: OnnxGraph, matrix: string, rows?: readonly [number, number]): Value {
    return graph.once(`${matrix}.expanded.${rows?.join('-') ?? ''}`, (outer) =>
      outer.in(matrix, () => {
        const quantized = this.#quantized(outer, matrix, rows);
        const steps = outer.op('Cast', [quantized.bytes], {
          to: { int: elementTypeCode('float32') },
        });
        const centred = outer.op('Sub', [steps, outer.float(QUANTIZATION_ZERO_POINT)]);
        const scale = outer.op('Unsqueeze', [quantized.scales, outer.integers([2])]);
        const values = outer.op('Reshape', [
          outer.op('Mul', [centred, scale]),
          outer.integers([quantized.rows, quantized.columns]),
        ]);
        return this.#cast(outer, matrix, 'F32', values);
      }),
    );
  }

  #quantized(graph: OnnxGraph, matrix: string, range?: readonly [number, number]) {
    const bytes = sliceRows(this.#stored(`${matrix}.q`), range);
    const scales = sliceRows(this.#stored(`${matrix}.scale`), range);
    const suffix = range === undefined ? '' : `[${range.join(':')}]`;
    const [rows = 0, blocks = 0, blockLength = 0] = bytes.shape;
    return {
      rows,
      columns: blocks * blockLength,
      blockLength,
      bytes: this.#declare(graph, `${matrix}.q${suffix}`, bytes),
      scalesName: `${matrix}.scale${suffix}`,
      scales: this.#declare(graph, `${matrix}.scale${suffix}`, scales),
    };
  }

  #matrix(graph: OnnxGraph, name: string, range?: readonly [number, number]): Value {
    const stored = sliceRows(this.#stored(name), range);
    const unique = range === undefined ? name : `${name}[${range.join(':')}]`;
    return this.#cast(graph, unique, stored.type, this.#declare(graph, unique, stored));
  }

  #cast(graph: OnnxGraph, name: string, type: StoredTensor['type'], value: Value): Value {
    const { computeType } = this.#options;
    if (ELEMENT_OF_STORED[type] === computeType) return value;
    const to = { to: { int: elementTypeCode(computeType) } };
    return graph.once(`${name}.cast`, (outer) =>
      outer.in(name, () => outer.op('Cast', [value], to)),
    );
  }

  #declare(graph: OnnxGraph, name: string, stored: StoredTensor): Value {
    return graph.weight(name, ELEMENT_OF_STORED[stored.type], stored.shape, {
      file: stored.file.slice(1), // Relative to the folder '/': see docs/decisions.
      offsetBytes: stored.offsetBytes,
      lengthBytes: stored.lengthBytes,
    });
  }

  #stored(name: string): StoredTensor {
    const stored = this.#tensors.get(name);
    if (stored === undefined) {
      throw new SttError('MODEL_INVALID', `The checkpoint has no tensor ${name}`);
    }
    return stored;
  }
}

const biased = (graph: OnnxGraph, product: Value, bias: Value): Value =>
  bias === '' ? product : graph.op('Add', [product, bias]);

/** The tensor that consists of rows `[start, end)` of the first axis. */
function sliceRows(stored: StoredTensor, range?: readonly [number, number]): StoredTensor {
  if (range === undefined) return stored;
  const [start, end] = range;
  const rowBytes =
    stored.shape.slice(1).reduce((product, length) => product * length, 1) *
    BYTES_PER_ELEMENT[stored.type];
  return {
    ...stored,
    shape: [end - start, ...stored.shape.slice(1)],
    offsetBytes: stored.offsetBytes + start * rowBytes,
    lengthBytes: (end - start) * rowBytes,
  };
}
