import { open } from 'node:fs/promises';
import { SttError } from '../../core/errors.ts';
import type { StoredTensor, TensorTable } from './safetensors.ts';
import { QUANTIZATION_ZERO_POINT } from './weights.ts';

/**
 * Elements of a matrix that share one scale: a power of 2 from 16 on, or its whole rows; null where it
 * stays as it is. Rows are stored as `byteMatrix` makes them, which then rounds nothing again.
 */
export type BlockOf = (name: string) => number | 'row' | null;

/**
 * Steps from the zero point to a block's largest value, by the scales that are tried for it: a byte
 * holds 127 on both sides. Which scale rounds best is a matter of luck, so that the best of a few has
 * a sixth less squared error than the first.
 */
const STEP_COUNTS = Array.from({ length: 12 }, (_, index) => 127.4 - 0.4 * index);

/** As `byteMatrix`: the largest of a row is 127 steps. */
const ROW_STEPS = 127;

/** A third of the time that `Math.round` takes, for numbers that are not large. */
const rounded = (value: number): number => value + 1.5 * 2 ** 52 - 1.5 * 2 ** 52;

interface QuantizedMatrix {
  /** `[rows, blocks, block]`; 128 stands for 0. */
  readonly bytes: Uint8Array;
  /** `[rows, blocks]`: value = (byte − 128) · scale. */
  readonly scales: Float32Array;
}

/**
 * Symmetric 8-bit quantization in blocks along the rows, as `MatMulNBits` reads it: each block with
 * the scale that gives the least squared error, a row with that of its largest value.
 */
export function quantizeMatrix(
  values: Float32Array,
  blockLength: number,
  isRow = false,
): QuantizedMatrix {
  const blockCount = values.length / blockLength;
  const bytes = new Uint8Array(values.length);
  const scales = new Float32Array(blockCount);
  const stepCounts = isRow ? [ROW_STEPS] : STEP_COUNTS;
  for (let block = 0; block < blockCount; block++) {
    const start = block * blockLength;
    const scale = bestScale(values, { start, end: start + blockLength, stepCounts });
    scales[block] = scale;
    for (let i = start; i < start + blockLength; i++) {
      const steps = scale === 0 ? 0 : values[i]! / scale;
      bytes[i] = rounded(steps) + QUANTIZATION_ZERO_POINT;
    }
  }
  return { bytes, scales };
}

function bestScale(
  values: Float32Array,
  { start, end, stepCounts }: { start: number; end: number; stepCounts: readonly number[] },
): number {
  let absMax = 0;
  for (let i = start; i < end; i++) {
    absMax = Math.max(absMax, Math.abs(values[i]!));
  }
  let best = 0;
  let leastError = Number.POSITIVE_INFINITY;
  for (const stepCount of stepCounts) {
    const scale = Math.fround(absMax / stepCount);
    if (scale === 0) return 0;
    const perStep = 1 / scale;
    let squaredSteps = 0;
    for (let i = start; i < end; i++) {
      const steps = values[i]! * perStep;
      const rest = steps - rounded(steps);
      squaredSteps += rest * rest;
    }
    const error = squaredSteps * scale * scale;
    if (error >= leastError) continue;
    leastError = error;
    best = scale;
  }
  return best;
}

interface Block {
  readonly length: number;
  readonly isRow: boolean;
}

/** Linear layers and token embeddings; positions, norms, biases and convolutions stay as they are. */
function blockFor(name: string, { shape }: StoredTensor, blockOf: BlockOf): Block | null {
  const isMatrix =
    shape.length === 2 && name.endsWith('.weight') && !name.includes('embed_positions');
  const block = isMatrix ? blockOf(name) : null;
  const length = block === 'row' ? shape[1]! : block;
  return length !== null && shape[1]! % length === 0 ? { length, isRow: block === 'row' } : null;
}

/**
 * Writes a checkpoint's quantized form: `X.q` U8 and `X.scale` F32 for every quantizable `X`,
 * the rest byte for byte. One tensor is in memory at a time.
 * @throws {SttError} MODEL_INVALID for a tensor that is already quantized.
 */
export async function writeQuantizedSafetensors(
  tensors: TensorTable,
  targetFile: string,
  blockOf: BlockOf,
  onProgress: (doneBytes: number, totalBytes: number) => void = () => {},
): Promise<void> {
  const totalBytes = [...tensors.values()].reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  const plan = [...tensors].flatMap(([name, stored]) => plannedTensors(name, stored, blockOf));
  const target = await open(targetFile, 'wx');
  try {
    const dataStart = await writeHeader(target, plan);
    let offset = dataStart;
    let doneBytes = 0;
    for (const [name, stored] of tensors) {
      for (const bytes of await convert(stored, blockFor(name, stored, blockOf))) {
        await target.write(bytes, 0, bytes.length, offset);
        offset += bytes.length;
      }
      doneBytes += stored.lengthBytes;
      onProgress(doneBytes, totalBytes);
    }
    await target.sync();
  } finally {
    await target.close();
  }
}

interface PlannedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly lengthBytes: number;
}

function plannedTensors(name: string, stored: StoredTensor, blockOf: BlockOf): PlannedTensor[] {
  if (name.endsWith('.q')) {
    throw new SttError('MODEL_INVALID', 'The checkpoint is quantized already');
  }
  const { type, shape, lengthBytes } = stored;
  const block = blockFor(name, stored, blockOf);
  if (block === null) return [{ name, dtype: type, shape, lengthBytes }];
  const [rows, columns] = [shape[0]!, shape[1]!];
  const blocks = columns / block.length;
  return [
    {
      name: `${name}.q`,
      dtype: 'U8',
      shape: [rows, blocks, block.length],
      lengthBytes: rows * columns,
    },
    { name: `${name}.scale`, dtype: 'F32', shape: [rows, blocks], lengthBytes: rows * blocks * 4 },
  ];
}

async function writeHeader(
  target: Awaited<ReturnType<typeof open>>,
  plan: readonly PlannedTensor[],
): Promise<number> {
  let offset = 0;
  const entries = plan.map(({ name, dtype, shape, lengthBytes }) => {
    const start = offset;
    offset += lengthBytes;
    return [name, { dtype, shape, data_offsets: [start, offset] }];
  });
  const json = JSON.stringify({
    __metadata__: { format: 'pt', quantization: 'symmetric-8bit' },
    ...Object.fromEntries(entries),
  });
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  await target.write(Buffer.concat([prefix, header]), 0, 8 + header.length, 0);
  return 8 + header.length;
}

async function convert(stored: StoredTensor, block: Block | null): Promise<Uint8Array[]> {
  const bytes = await readTensorBytes(stored);
  if (block === null) return [bytes];
  const values = toFloats(bytes, stored.type);
  const quantized = quantizeMatrix(values, block.length, block.isRow);
  return [quantized.bytes, new Uint8Array(quantized.scales.buffer)];
}

/** A tensor as it is stored. @throws {SttError} MODEL_INVALID for a file that is cut off. */
export async function readTensorBytes({
  file,
  offsetBytes,
  lengthBytes,
}: StoredTensor): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(lengthBytes),
      0,
      lengthBytes,
      offsetBytes,
    );
    if (bytesRead < lengthBytes) throw new SttError('MODEL_INVALID', 'A model file is cut off');
    return buffer;
  } finally {
    await handle.close();
  }
}

/** Little-endian F32, F16 or BF16 bytes as float32. */
export function toFloats(bytes: Uint8Array, type: StoredTensor['type']): Float32Array {
  const own = new Uint8Array(bytes).buffer; // The bytes may begin anywhere; an array of numbers may not.
  if (type === 'F32') return new Float32Array(own);
  const words = new Uint16Array(own);
  const values = new Float32Array(words.length);
  const decoded = type === 'F16' ? halves() : brains();
  for (let i = 0; i < words.length; i++) values[i] = decoded[words[i]!]!;
  return values;
}

/** The value of each pattern of 16 bits: ten times as fast as decoding them one by one. */
const decodedWords = (decode: (bits: number) => number) => {
  let values: Float32Array | undefined;
  return (): Float32Array => {
    values ??= Float32Array.from({ length: 65_536 }, (_, bits) => decode(bits));
    return values;
  };
};
const halves = decodedWords(halfToFloat);
const brains = decodedWords(brainToFloat);

/** IEEE 754 binary16. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** bfloat16: the upper half of a float32. */
function brainToFloat(bits: number): number {
  const word = new DataView(new ArrayBuffer(4));
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}
