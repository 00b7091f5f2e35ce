import { expect, test } from 'vitest';
import { hasIntegerDotProduct } from '../../../models/engine/integer-dot-product.ts';
import {
  type ByteRange,
  byteMatrix,
  byteProduct,
  byteRows,
} from '../../../models/graph/byte-matrix.ts';
import { type GraphOutput, runGraph } from '../../golden/run-graph.ts';

const [INPUTS, OUTPUTS] = [64, 24];

/** Pseudo-random in [-1, 1), the same for the same seed. */
function values(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Older processors add pairs of products in 16 bits, which overflow: there the form is not used. */
const exactTest = (title: string, run: () => Promise<void>): void =>
  hasIntegerDotProduct()
    ? test(title, run)
    : test.skip(`${title} (not tested: the CPU has no dot product of bytes)`, () => undefined);

const MATRIX = values(OUTPUTS * INPUTS, 7);

/** `x · Wᵀ` of rows `[rows, INPUTS]` in one batch. */
async function multiplied(x: Float32Array, range: ByteRange = {}): Promise<GraphOutput> {
  const shape = [1, x.length / INPUTS, INPUTS];
  const { y } = await runGraph(
    (graph) => {
      const rows = byteRows(graph, graph.input('x', 'float32', shape), INPUTS, range);
      const matrix = byteMatrix(graph, graph.floats(MATRIX, [OUTPUTS, INPUTS]), OUTPUTS);
      graph.output('y', byteProduct(graph, rows, matrix), 'float32', [1, 'rows', OUTPUTS]);
    },
    { x: { type: 'float32', data: Float32Array.from(x), dims: shape } },
  );
  return y!;
}

function exactly(x: Float32Array): Float32Array {
  return Float32Array.from({ length: (x.length / INPUTS) * OUTPUTS }, (_, i) => {
    const [row, output] = [Math.floor(i / OUTPUTS), i % OUTPUTS];
    const places = Array.from({ length: INPUTS }, (_unused, place) => place);
    return places.reduce(
      (sum, place) => sum + x[row * INPUTS + place]! * MATRIX[output * INPUTS + place]!,
      0,
    );
  });
}

/** Size of the difference beside that of `wanted`. */
function relativeError(found: ArrayLike<number>, wanted: Float32Array): number {
  let [difference, size] = [0, 0];
  for (const [i, value] of wanted.entries()) {
    difference += (found[i]! - value) ** 2;
    size += value ** 2;
  }
  return Math.sqrt(difference / size);
}

const floatsOf = ({ data }: GraphOutput): number[] => Array.from(data, Number);

exactTest('a product of bytes is within 1 % of the exact one, and not equal to it', async () => {
  const x = values(5 * INPUTS, 1);
  const error = relativeError(floatsOf(await multiplied(x)), exactly(x));
  expect(error).toBeLessThan(0.01);
  expect(error).toBeGreaterThan(1e-4);
});

exactTest(
  'rows of very different sizes keep their precision, and a row of zeros stays zero',
  async () => {
    const x = values(3 * INPUTS, 2).map(
      (value, i) => value * [1e-3, 1e3, 0][Math.floor(i / INPUTS)]!,
    );
    const product = floatsOf(await multiplied(x));
    const exact = exactly(x);
    expect(relativeError(product.slice(0, OUTPUTS), exact.subarray(0, OUTPUTS))).toBeLessThan(0.01);
    expect(product.slice(2 * OUTPUTS)).toEqual(new Array(OUTPUTS).fill(0));
  },
);

test('what becomes of a row does not depend on the rows beside it', async () => {
  const row = values(INPUTS, 3);
  const alone = floatsOf(await multiplied(row));
  const loud = values(INPUTS, 4).map((value) => 1000 * value);
  const beside = floatsOf(await multiplied(Float32Array.from([...loud, ...row, ...loud])));
  expect(beside.slice(OUTPUTS, 2 * OUTPUTS)).toEqual(alone);
});

exactTest('values that are known to be hardly negative have half the error', async () => {
  const x = values(8 * INPUTS, 5).map((value) => (value < 0 ? 0.17 * value : 6 * value));
  const exact = exactly(x);
  const known = relativeError(floatsOf(await multiplied(x, { lowest: -0.17 })), exact);
  const unknown = relativeError(floatsOf(await multiplied(x)), exact);
  expect(known).toBeLessThan(0.8 * unknown);
  const small = x.map((value) => value / 1000 - 0.17);
  expect(
    relativeError(floatsOf(await multiplied(small, { lowest: -0.17 })), exactly(small)),
  ).toBeLessThan(0.05);
});
