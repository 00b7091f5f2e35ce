import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readTensorTable } from '../../../models/graph/safetensors.ts';
import { writeSafetensors } from '../../fakes/safetensors-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stt-safetensors-'));
});
afterEach(() => rm(folder, { recursive: true }));

const tensor = (length: number, fill: number) => ({
  dtype: 'U8',
  shape: [length],
  bytes: new Uint8Array(length).fill(fill),
});

test('a tensor is where its bytes are, behind links too', async () => {
  const blob = join(folder, 'blob');
  await writeSafetensors(blob, { a: tensor(3, 1), b: tensor(5, 2) });
  const snapshot = join(folder, 'snapshot');
  await mkdir(snapshot);
  await symlink('../blob', join(snapshot, 'model.safetensors'));
  const { file, offsetBytes, lengthBytes, shape } = (await readTensorTable(snapshot)).get('b')!;
  expect(file).toBe(blob);
  expect(shape).toEqual([5]);
  const bytes = await readFile(file);
  expect([...bytes.subarray(offsetBytes, offsetBytes + lengthBytes)]).toEqual([2, 2, 2, 2, 2]);
});

test('the shards of an index make one table', async () => {
  await writeSafetensors(join(folder, 'one.safetensors'), { a: tensor(1, 1) });
  await writeSafetensors(join(folder, 'two.safetensors'), { b: tensor(1, 2), c: tensor(1, 3) });
  await writeFile(
    join(folder, 'model.safetensors.index.json'),
    JSON.stringify({
      weight_map: { a: 'one.safetensors', b: 'two.safetensors', c: 'two.safetensors' },
    }),
  );
  expect([...(await readTensorTable(folder)).keys()].sort()).toEqual(['a', 'b', 'c']);
});

test('one whole file is preferred to an index, as transformers prefers it', async () => {
  await writeSafetensors(join(folder, 'model.safetensors'), { a: tensor(1, 1) });
  await writeFile(
    join(folder, 'model.safetensors.index.json'),
    JSON.stringify({ weight_map: { b: 'gone-00001-of-00002.safetensors' } }),
  );
  expect([...(await readTensorTable(folder)).keys()]).toEqual(['a']);
});

test('a missing shard, a cut file and a file of another kind are told apart', async () => {
  const path = join(folder, 'model.safetensors');
  await expect(readTensorTable(folder)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  await writeSafetensors(path, { a: tensor(100, 1) });
  await truncate(path, 150);
  await expect(readTensorTable(folder)).rejects.toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringContaining('cut off'),
  });
  const damaged = Buffer.from('{"a":{"dtype":"F32"}}   ');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(damaged.length));
  for (const header of [damaged, Buffer.alloc(damaged.length, '{')]) {
    await writeFile(path, Buffer.concat([length, header]));
    await expect(readTensorTable(folder)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringContaining('download it again'),
    });
  }
  await writeFile(path, 'version https://git-lfs.github.com/spec/v1\n');
  await expect(readTensorTable(folder)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
});
