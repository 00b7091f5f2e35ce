import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTensorBytes, toFloats } from '../models/graph/quantize.ts';
import { readTensorTable, type StoredTensor } from '../models/graph/safetensors.ts';
import { QUANTIZATION_ZERO_POINT } from '../models/graph/weights.ts';
import { headerOf } from '../scripts/random-checkpoint.ts';
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
        ? { name, shape: stored.shape, bytes: await readTensorBytes(stored) }
        : await expanded(name.replace(/\.q$/, ''), stored, scale),
    );
  }
  await writeFile(join(target, 'model.safetensors'), safetensorsOf(tensors));
}

async function expanded(name: string, quantized: StoredTensor, scale: StoredTensor) {
  const [rows = 0, blocks = 0, block = 0] = quantized.shape;
  const scales = toFloats(await readTensorBytes(scale), 'F32');
  const halves = Uint16Array.from(await readTensorBytes(quantized), (byte, at) =>
    floatToHalf((byte - QUANTIZATION_ZERO_POINT) * scales[Math.floor(at / block)]!),
  );
  return { name, shape: [rows, blocks * block], bytes: new Uint8Array(halves.buffer) };
}

function safetensorsOf(tensors: readonly Expanded[]): Buffer {
  const plan = tensors.map(({ name, shape, bytes }) => ({
    name,
    shape,
    lengthBytes: bytes.length,
  }));
  return Buffer.concat([headerOf(plan, 'F16'), ...tensors.map(({ bytes }) => bytes)]);
}
