import { expect, test } from 'vitest';
import { cumulativeSums } from '../../models/whisper/cumulative-sums.ts';
import { runGraph } from './run-graph.ts';

/** As many tokens as large-v3 has; every seventh with a probability, the others forbidden. */
const COUNT = 51_866;
const probabilities = Float32Array.from({ length: 2 * COUNT }, (_, at) =>
  at % 7 === 0 ? ((at * 31) % 101) / 1e6 : 0,
);

const sumsOf = async () => {
  const { sums } = await runGraph(
    (graph) => {
      const values = graph.input('values', 'float32', ['rows', COUNT]);
      graph.output('sums', cumulativeSums(graph, values, COUNT), 'float32', ['rows', 'sums']);
    },
    { values: { type: 'float32', data: probabilities.slice(), dims: [2, COUNT] } },
  );
  const [rows, columns] = sums!.dims;
  return { rows, columns: columns!, data: sums!.data as Float32Array };
};

test('each place has the sum up to it, and what is behind a row adds nothing', async () => {
  const { rows, columns, data } = await sumsOf();
  expect(rows).toBe(2);
  for (let row = 0; row < 2; row++) {
    let sum = 0;
    let largest = 0;
    for (let at = 0; at < columns; at++) {
      sum += at < COUNT ? probabilities[row * COUNT + at]! : 0;
      largest = Math.max(largest, Math.abs(data[row * columns + at]! - sum));
    }
    expect(largest).toBeLessThan(1e-5);
  }
});

test('a probability of 0 never raises the sum, wherever a block begins', async () => {
  const { columns, data } = await sumsOf();
  const rises: number[] = [];
  for (let at = 1; at < COUNT; at++) {
    if (probabilities[at] === 0 && data[at] !== data[at - 1]) rises.push(at);
  }
  expect(columns).toBeGreaterThanOrEqual(COUNT);
  expect(rises).toEqual([]);
});
