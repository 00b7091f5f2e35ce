import { open } from 'node:fs/promises';
import { SttError } from '../../core/errors.ts';
import type { StoredTensor, TensorTable } from './safetensors.ts';
import { QUANTIZATION_BLOCK, QUANTIZATION_ZERO_POINT } from './weights.ts';

/** Largest distance from the zero point that a byte holds on both sides. */
const LEVELS = 127;

interface QuantizedMatrix {
  /** `[rows, blocks, QUANTIZATION_BLOCK]`; 128 stands for 0. */
  readonly bytes: Uint8Array;
  /** `[rows, blocks]`: value = (byte − 128) · scale. */
  readonly scales: Float32Array;
}

/**
 * Symmetric 8-bit quantization in blocks along the rows, as `MatMulNBits` reads it.
 * The largest error of a value is half its block's scale, i.e. absmax / 254.
 */
export function quantizeMatrix(values: Float32Array): QuantizedMatrix {
  const blockCount = values.length / QUANTIZATION_BLOCK;
  const bytes = new Uint8Array(values.length);
  const scales = new Float32Array(blockCount);
  for (let block = 0; block < blockCount; block++) {
    const start = block * QUANTIZATION_BLOCK;
    let absMax = 0;
    for (let i = start; i < start + QUANTIZATION_BLOCK; i++) {
      absMax = Math.max(absMax, Math.abs(values[i]!));
    }
    const scale = absMax / LEVELS;
    scales[block] = scale;
    for (let i = start; i < start + QUANTIZATION_BLOCK; i++) {
      const step = scale === 0 ? 0 : Math.round(values[i]! / scale);
      bytes[i] = step + QUANTIZATION_ZERO_POINT;
    }
  }
  return { bytes, scales };
}

/** Linear layers and token embeddings; positions, norms, biases and convolutions stay as they are. */
function isQuantizable(name: string, { shape }: StoredTensor): boolean {
  return (
    shape.length === 2 &&
    name.endsWith('.weight') &&
    !name.includes('embed_positions') &&
    shape[1]! % QUANTIZATION_BLOCK === 0
  );
}

/**
 * Writes a checkpoint's quantized form: `X.q` U8 and `X.scale` F32 for every quantizable `X`,
 * the rest byte for byte. One tensor is in memory at a time.
 * @throws {SttError} MODEL_INVALID for a tensor that is already quantized.
 */
export async function writeQuantizedSafetensors(
  tensors: TensorTable,
  targetFile: string,
  onProgress: (doneBytes: number, totalBytes: number) => void = () => {},
): Promise<void> {
  const totalBytes = [...tensors.values()].reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  const plan = [...tensors].flatMap(([name, stored]) => plannedTensors(name, stored));
  const target = await open(targetFile, 'wx');
  try {
    const dataStart = await writeHeader(target, plan);
    let offset = dataStart;
    let doneBytes = 0;
    for (const [name, stored] of tensors) {
      for (const bytes of await convert(name, stored)) {
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

function plannedTensors(name: string, stored: StoredTensor): PlannedTensor[] {
  if (name.endsWith('.q')) {
    throw new SttError('MODEL_INVALID', 'The checkpoint is quantized already');
  }
  const { type, shape, lengthBytes } = stored;
  if (!isQuantizable(name, stored)) return [{ name, dtype: type, shape, lengthBytes }];
  const [rows, columns] = [shape[0]!, shape[1]!];
  const blocks = columns / QUANTIZATION_BLOCK;
  return [
    {
      name: `${name}.q`,
      dtype: 'U8',
      shape: [rows, blocks, QUANTIZATION_BLOCK],
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
    __metadata__: { format: 'pt', quantization: `symmetric-8bit-block${QUANTIZATION_BLOCK}` },
    ...Object.fromEntries(entries),
  });
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  await target.write(Buffer.concat([prefix, header]), 0, 8 + header.length, 0);
  return 8 + header.length;
}

async function convert(name: string, stored: StoredTensor): Promise<Uint8Array[]> {
  const bytes = await readTensorBytes(stored);
  if (!isQuantizable(name, stored)) return [bytes];
  const quantized = quantizeMatrix(toFloats(bytes, stored.type));
  return [quantized.bytes, new Uint8Array(quantized.scales.buffer)];
}

async function readTensorBytes({ file, offsetBytes, lengthBytes }: StoredTensor): Promise<Buffer> {
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
