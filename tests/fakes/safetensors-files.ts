import { truncate, writeFile } from 'node:fs/promises';

export interface TensorBytes {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Writes a safetensors file with the tensors in the given order. */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, TensorBytes>>,
): Promise<void> {
  let offset = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
    const start = offset;
    offset += bytes.length;
    return [name, { dtype, shape, data_offsets: [start, offset] }];
  });
  const header = Buffer.from(
    JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) }),
  );
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  const data = Object.values(tensors).map(({ bytes }) => bytes);
  await writeFile(path, Buffer.concat([prefix, header, ...data]));
}

/** Writes a file of float32 tensors with these shapes; their content is a hole, all zeros. */
export async function writeHollowSafetensors(
  path: string,
  shapes: Iterable<readonly [name: string, shape: readonly number[]]>,
): Promise<void> {
  let offset = 0;
  const entries = [...shapes].map(([name, shape]) => {
    const start = offset;
    offset += shape.reduce((product, length) => product * length, 4);
    return [name, { dtype: 'F32', shape, data_offsets: [start, offset] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  await writeFile(path, Buffer.concat([prefix, header]));
  await truncate(path, 8 + header.length + offset);
}
