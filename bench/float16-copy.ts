import { cp, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toFloats } from '../models/graph/quantize.ts';
import { readTensorTable, type StoredTensor } from '../models/graph/safetensors.ts';
import { QUANTIZATION_ZERO_POINT } from '../models/graph/weights.ts';
import { floatToHalf } from '../scripts/random-values.ts';

interface Expanded {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * Writes a checkpoint in 8 bits once more in float16. A CPU may round what it multiplies 8-bit
 * matrices with as well, a GPU does not: only without them do the two compute the same.
 */
export async function writeFloat16Copy(folder: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  await cp(folder, target, {
    recursive: true,
    filter: (path) => !path.endsWith('.safetensors'),
  });
  const tensors: Expanded[] = [];
  const table = await readTensorTable(folder);
  for (const [name, stored] of table) {
    if (name.endsWith('.scale')) continue;
    const scale = table.get(name.replace(/\.q$/, '.scale'));
    tensors.push(
      scale === undefined || scale === stored
        ? { name, shape: stored.shape, bytes: await bytesOf(stored) }
        : await expanded(name.replace(/\.q$/, ''), stored, scale),
    );
  }
  await writeFile(join(target, 'model.safetensors'), safetensorsOf(tensors));
}

async function expanded(name: string, quantized: StoredTensor, scale: StoredTensor) {
  const [rows = 0, blocks = 0, block = 0] = quantized.shape;
  const scales = toFloats(await bytesOf(scale), 'F32');
  const halves = Uint16Array.from(await bytesOf(quantized), (byte, at) =>
    floatToHalf((byte - QUANTIZATION_ZERO_POINT) * scales[Math.floor(at / block)]!),
  );
  return { name, shape: [rows, blocks * block], bytes: new Uint8Array(halves.buffer) };
}

async function bytesOf({ file, offsetBytes, lengthBytes }: StoredTensor): Promise<Uint8Array> {
  const handle = await open(file, 'r');
  try {
    const bytes = new Uint8Array(lengthBytes);
    await handle.read(bytes, 0, lengthBytes, offsetBytes);
    return bytes;
  } finally {
    await handle.close();
  }
}

function safetensorsOf(tensors: readonly Expanded[]): Buffer {
  let offset = 0;
  const entries = tensors.map(({ name, shape, bytes }) => {
    const start = offset;
    offset += bytes.length;
    return [name, { dtype: 'F16', shape, data_offsets: [start, offset] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, ...tensors.map(({ bytes }) => bytes)]);
}
