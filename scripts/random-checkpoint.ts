import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { tensorShapes } from '../models/whisper/tensor-shapes.ts';
import { describeCheckpoint, writeJson } from './describe-checkpoint.ts';
import { type RandomDtype, RandomValues } from './random-values.ts';
import type { WhisperShape } from './whisper-shapes.ts';

export interface RandomCheckpointOptions {
  readonly shape: WhisperShape;
  readonly dtype: RandomDtype;
  readonly seed: number;
  /** Files that the weights are spread over; more than one needs an index. */
  readonly shards?: number;
  /** What stored names begin with: `model.` as Hugging Face writes them, or nothing. */
  readonly prefix?: string;
  /** Whether the scores are made by a matrix of their own instead of the token embeddings. */
  readonly isUntied?: boolean;
}

interface PlannedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly lengthBytes: number;
}

/** What is in memory at a time, however large the tensor. */
const CHUNK_VALUES = 4 * 1024 * 1024;
const BYTES: Readonly<Record<RandomDtype, number>> = { F32: 4, F16: 2, BF16: 2 };

/**
 * Writes a Whisper with random weights into a folder, in Hugging Face layout. The same options
 * give the same bytes on every machine.
 */
export async function writeRandomCheckpoint(
  folder: string,
  options: RandomCheckpointOptions,
): Promise<void> {
  const { shards = 1 } = options;
  await describeCheckpoint(folder, options);
  const files = planFiles(options);
  for (const [file, tensors] of files) await writeTensors(join(folder, file), tensors, options);
  if (shards === 1) return;
  const weightMap = [...files].flatMap(([file, tensors]) =>
    tensors.map(({ name }) => [name, file]),
  );
  await writeJson(folder, 'model.safetensors.index.json', {
    metadata: { total_size: sizeOf([...files.values()].flat()) },
    weight_map: Object.fromEntries(weightMap),
  });
}

/** Tensors in turn, each file about as long as the others. */
function planFiles(options: RandomCheckpointOptions): Map<string, PlannedTensor[]> {
  const { shape, dtype, shards = 1, prefix = 'model.', isUntied } = options;
  const projection = ['proj_out.weight', [shape.vocabularySize, shape.dModel]] as const;
  const shapes = [...tensorShapes(shape), ...(isUntied ? [projection] : [])];
  const tensors = shapes.map(([name, dims]): PlannedTensor => {
    const lengthBytes = dims.reduce((product, length) => product * length, BYTES[dtype]);
    return { name: name.replace(/^model\./, prefix), shape: dims, lengthBytes };
  });
  const totalBytes = sizeOf(tensors);
  const files = new Map<string, PlannedTensor[]>();
  let startBytes = 0;
  for (const tensor of tensors) {
    const shard = Math.min(shards, 1 + Math.floor((startBytes / totalBytes) * shards));
    const file = shards === 1 ? 'model.safetensors' : shardName(shard, shards);
    files.set(file, [...(files.get(file) ?? []), tensor]);
    startBytes += tensor.lengthBytes;
  }
  return files;
}

const sizeOf = (tensors: readonly PlannedTensor[]): number =>
  tensors.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);

const shardName = (shard: number, shards: number): string => {
  const number = (value: number): string => String(value).padStart(5, '0');
  return `model-${number(shard)}-of-${number(shards)}.safetensors`;
};

async function writeTensors(
  path: string,
  tensors: readonly PlannedTensor[],
  { dtype, seed, prefix = 'model.' }: RandomCheckpointOptions,
): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(headerOf(tensors, dtype));
    for (const { name, shape } of tensors) {
      const ownName = name.startsWith(prefix) ? name.slice(prefix.length) : name;
      await writeTensor(file, new RandomValues(seedOf(seed, ownName), dtype), ownName, shape);
    }
  } finally {
    await file.close();
  }
}

async function writeTensor(
  file: FileHandle,
  values: RandomValues,
  name: string,
  shape: readonly number[],
): Promise<void> {
  const { centre, spread } = distributionOf(name, shape);
  let left = shape.reduce((product, length) => product * length, 1);
  while (left > 0) {
    const count = Math.min(left, CHUNK_VALUES);
    await file.writeFile(values.next(count, centre, spread));
    left -= count;
  }
}

/**
 * Uniform around a centre; activations keep their size from layer to layer, and scores are far
 * enough apart for a token to be clear.
 */
function distributionOf(
  name: string,
  shape: readonly number[],
): { readonly centre: number; readonly spread: number } {
  if (name.includes('layer_norm')) {
    return { centre: name.endsWith('.weight') ? 1 : 0, spread: 0.2 };
  }
  if (name.endsWith('.bias')) return { centre: 0, spread: 0.2 };
  const inputs = shape.slice(1).reduce((product, length) => product * length, 1);
  const deviation = (/embed_tokens|proj_out/.test(name) ? 3 : 1.2) / Math.sqrt(inputs);
  // Large beside the tokens: else a row repeats the token that it started with.
  if (name.includes('decoder.embed_positions')) return { centre: 0, spread: 2 };
  if (name.includes('encoder.embed_positions')) return { centre: 0, spread: 0.5 };
  return { centre: 0, spread: deviation * Math.sqrt(3) };
}

/** The head of a safetensors file in which all tensors are of one type. */
export function headerOf(tensors: readonly PlannedTensor[], dtype: RandomDtype): Buffer {
  let offset = 0;
  const entries = tensors.map(({ name, shape, lengthBytes }) => {
    const start = offset;
    offset += lengthBytes;
    return [name, { dtype, shape, data_offsets: [start, offset] }];
  });
  const json = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) });
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([prefix, header]);
}

const seedOf = (seed: number, name: string): number =>
  createHash('sha256').update(`${seed} ${name}`).digest().readUInt32LE();
