import { expect, test } from 'vitest';
import { batchSizeForMemory, chooseDevice, defaultBatchSize } from '../../../models/device.ts';

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
  expect(await defaultBatchSize('cpu')).toBe(8);
  expect(chooseDevice('cuda')).toBe('cuda');
  expect(chooseDevice('cpu')).toBe('cpu');
});
