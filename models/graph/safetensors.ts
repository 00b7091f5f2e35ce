import { access, open, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';

export type StoredType = 'F32' | 'F16' | 'BF16' | 'U8';

export interface StoredTensor {
  readonly type: StoredType;
  readonly shape: readonly number[];
  /** Real path of the file that holds it; never a symbolic link. */
  readonly file: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

export type TensorTable = ReadonlyMap<string, StoredTensor>;

export const BYTES_PER_ELEMENT: Readonly<Record<StoredType, number>> = {
  F32: 4,
  F16: 2,
  BF16: 2,
  U8: 1,
};

const WHOLE = 'model.safetensors';

/** A header above this is not a model of this world but a damaged or hostile file. */
const MAX_HEADER_BYTES = 64 * 1024 * 1024;

/**
 * Where every tensor of a Hugging Face folder lies: one `model.safetensors`, else the shards of its
 * index, as transformers prefers it. Nothing but the headers is read.
 * @throws {SttError} MODEL_NOT_FOUND, MODEL_INVALID.
 */
export async function readTensorTable(folder: string): Promise<TensorTable> {
  const tables = await Promise.all(
    (await shardNames(folder)).map((name) => readSafetensorsHeader(join(folder, name))),
  );
  return new Map(tables.flatMap((table) => [...table]));
}

async function shardNames(folder: string): Promise<string[]> {
  if (await exists(join(folder, WHOLE))) return [WHOLE];
  const index = await readOptional(join(folder, 'model.safetensors.index.json'));
  if (index === undefined) return [WHOLE];
  const parsed = WeightsIndex.safeParse(parseJson(index));
  if (!parsed.success) {
    throw new SttError('MODEL_INVALID', 'model.safetensors.index.json has no weight_map');
  }
  return [...new Set(Object.values(parsed.data.weight_map))];
}

/** @throws {SttError} MODEL_NOT_FOUND, MODEL_INVALID when the file is not safetensors or is cut off. */
export async function readSafetensorsHeader(path: string): Promise<Map<string, StoredTensor>> {
  const file = await realpath(path).catch((error: unknown) => {
    throw new SttError('MODEL_NOT_FOUND', 'No safetensors file where the model should be', {
      cause: error,
    });
  });
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const { buffer: prefix } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    const headerBytes = size < 8 ? 0 : Number(prefix.readBigUInt64LE());
    if (headerBytes < 2 || headerBytes > Math.min(MAX_HEADER_BYTES, size - 8)) {
      throw new SttError(
        'MODEL_INVALID',
        'A model file is not in safetensors format: download it again (a clone needs git lfs pull)',
      );
    }
    const { buffer: header } = await handle.read(Buffer.alloc(headerBytes), 0, headerBytes, 8);
    return parseHeader(header.toString('utf8'), { file, dataStart: 8 + headerBytes, size });
  } finally {
    await handle.close();
  }
}

const WeightsIndex = z.object({ weight_map: z.record(z.string(), z.string()) });
const offset = z.int().min(0);
const Header = z.record(
  z.string(),
  z.object({
    dtype: z.string(),
    shape: z.array(offset),
    data_offsets: z.tuple([offset, offset]),
  }),
);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseHeader(
  header: string,
  { file, dataStart, size }: { file: string; dataStart: number; size: number },
): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  const { __metadata__: _, ...entries } = Object(parseJson(header) ?? { header: null });
  const parsed = Header.safeParse(entries);
  if (!parsed.success) {
    throw new SttError('MODEL_INVALID', 'The header of a model file is damaged: download it again');
  }
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(parsed.data)) {
    if (!(dtype in BYTES_PER_ELEMENT)) continue; // Integer buffers that some exports carry along.
    const type = dtype as StoredType;
    const lengthBytes = offsets[1] - offsets[0];
    const elements = shape.reduce((product, length) => product * length, 1);
    const isWhole = lengthBytes === elements * BYTES_PER_ELEMENT[type];
    if (!isWhole || dataStart + offsets[1] > size) {
      throw new SttError(
        'MODEL_INVALID',
        `Tensor ${name} is cut off or has the wrong length: download the model again`,
      );
    }
    tensors.set(name, { type, shape, file, offsetBytes: dataStart + offsets[0], lengthBytes });
  }
  return tensors;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}
