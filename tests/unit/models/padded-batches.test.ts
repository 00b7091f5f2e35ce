import { expect, test } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import { PaddedBatches } from '../../../models/padded-batches.ts';

const { signal } = new AbortController();
const ROW = 2;
/** Rows that hold 1, 1, 2, 2, 3, 3, … */
const rows = (count: number): Float32Array =>
  Float32Array.from({ length: count * ROW }, (_, i) => 1 + Math.floor(i / ROW));

function recorder(fitting = Infinity) {
  const sizes: number[] = [];
  /** Two numbers for each row: its sum, and 7. */
  const run = (batch: Float32Array, count: number): Promise<Float32Array> => {
    sizes.push(count);
    expect(batch).toHaveLength(count * ROW);
    if (count > fitting) return Promise.reject(new SttError('GPU_OUT_OF_MEMORY', 'no room'));
    return Promise.resolve(
      Float32Array.from({ length: 2 * count }, (_, i) =>
        i % 2 === 0 ? batch[i]! + batch[i + 1]! : 7,
      ),
    );
  };
  return { sizes, run };
}
const expected = (count: number): number[] =>
  Array.from({ length: count }, (_, row) => [2 * (row + 1), 7]).flat();

test('a GPU sees full batches only, and silence leaves no trace', async () => {
  const { sizes, run } = recorder();
  const batches = new PaddedBatches({ rowSamples: ROW, batchSize: 4, isPadded: true });
  for (const count of [1, 4, 6]) {
    expect([...(await batches.run(rows(count), run, signal))]).toEqual(expected(count));
  }
  expect(sizes).toEqual([4, 4, 4, 4]);
});

test('a CPU computes no rows but the wanted ones', async () => {
  const { sizes, run } = recorder();
  const batches = new PaddedBatches({ rowSamples: ROW, batchSize: 4, isPadded: false });
  expect([...(await batches.run(rows(6), run, signal))]).toEqual(expected(6));
  expect(sizes).toEqual([4, 2]);
});

test('a batch that does not fit is halved for good, until a single row does not', async () => {
  const { sizes, run } = recorder(2);
  const batches = new PaddedBatches({ rowSamples: ROW, batchSize: 8, isPadded: true });
  expect([...(await batches.run(rows(3), run, signal))]).toEqual(expected(3));
  expect([...(await batches.run(rows(1), run, signal))]).toEqual(expected(1));
  expect(sizes).toEqual([8, 4, 2, 2, 2]);
  const none = new PaddedBatches({ rowSamples: ROW, batchSize: 2, isPadded: true });
  await expect(none.run(rows(1), recorder(0).run, signal)).rejects.toMatchObject({
    code: 'GPU_OUT_OF_MEMORY',
  });
});

test('an aborted batch ends with the reason', async () => {
  const batches = new PaddedBatches({ rowSamples: ROW, batchSize: 2, isPadded: false });
  const aborted = AbortSignal.abort(new Error('enough'));
  await expect(batches.run(rows(1), recorder().run, aborted)).rejects.toThrow('enough');
});
