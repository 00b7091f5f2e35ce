import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  assertGpuAnswers,
  batchSizeForMemory,
  chooseDevice,
  defaultBatchSize,
  firstGpu,
} from '../../../models/device.ts';

test.each([
  ['RTX 3070', 8192, 8],
  ['RTX A4000', 16_376, 8],
  ['L4', 23_034, 16],
  ['RTX 4090', 24_564, 16],
  ['A100 40 GB', 40_960, 32],
  ['H100', 81_559, 32],
  ['a GPU that does not tell', 0, 8],
])('%s with %d MB decodes %d windows at once', (_, memoryMb, batchSize) => {
  expect(batchSizeForMemory(memoryMb)).toBe(batchSize);
});

test('a CPU decodes eight windows at once and is never chosen against the setting', async () => {
  expect(await defaultBatchSize('cpu')).toEqual({ batchSize: 8, isKnown: true });
  expect(chooseDevice('cuda')).toBe('cuda');
  expect(chooseDevice('cpu')).toBe('cpu');
});

test.each([
  [undefined, '0'],
  ['2', '2'],
  [' 1 ,0', '1'],
  ['GPU-5a5b-11,GPU-6c', 'GPU-5a5b-11'],
  ['MIG-GPU-8932/1/0', 'MIG-GPU-8932/1/0'],
  ['', undefined],
  ['-1', undefined],
  ['NoDevFiles', undefined],
  ['--help', undefined],
])('with CUDA_VISIBLE_DEVICES %j the GPU that is used is %s', (visible, gpu) => {
  expect(firstGpu(visible)).toBe(gpu);
});

test('where no GPU may be seen the device is the CPU, and a batch for a GPU is a guess', async () => {
  expect(chooseDevice('auto', '')).toBe('cpu');
  expect(await defaultBatchSize('cuda', '')).toEqual({ batchSize: 8, isKnown: false });
  await expect(assertGpuAnswers('cuda', '-1')).rejects.toMatchObject({
    code: 'DEVICE_UNAVAILABLE',
  });
});

test('the memory is that of the GPU that CUDA will use, not of the first in the machine', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nvidia-smi-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const script = '#!/bin/sh\ncase "$*" in *--id=1) echo 81559;; *) echo 8192;; esac\n';
  await writeFile(join(folder, 'nvidia-smi'), script, { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await defaultBatchSize('cuda')).toEqual({ batchSize: 8, isKnown: true });
  expect(await defaultBatchSize('cuda', '1,0')).toEqual({ batchSize: 32, isKnown: true });
  await expect(assertGpuAnswers('cuda', '1')).resolves.toBeUndefined();
});
