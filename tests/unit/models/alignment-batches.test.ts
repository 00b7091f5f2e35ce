import { expect, test } from 'vitest';
import { batchShape, WARM_UP_SHAPES } from '../../../models/wav2vec2/batch-shape.ts';

const SEC = 16_000;

test('a GPU sees 1, 2, 4 or 8 rows of a multiple of 5 s, and was warmed up for each', () => {
  expect(batchShape([3 * SEC], 'cuda')).toEqual({ rows: 1, samples: 5 * SEC });
  expect(batchShape([5 * SEC, 4 * SEC, SEC], 'cuda')).toEqual({ rows: 4, samples: 5 * SEC });
  expect(batchShape([5 * SEC + 1], 'cuda')).toEqual({ rows: 1, samples: 10 * SEC });
  for (let windows = 1; windows <= 8; windows++) {
    for (const sec of [0.1, 7.3, 29.99, 30, 40]) {
      const lengths = Array.from({ length: windows }, () => sec * SEC);
      expect(WARM_UP_SHAPES).toContainEqual(batchShape(lengths, 'cuda'));
    }
  }
  expect(WARM_UP_SHAPES).toHaveLength(32);
});

test('a CPU computes no sample in vain', () => {
  expect(batchShape([3 * SEC, 7], 'cpu')).toEqual({ rows: 2, samples: 3 * SEC });
});
