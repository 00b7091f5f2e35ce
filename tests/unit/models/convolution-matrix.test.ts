import { expect, test } from 'vitest';
import { type Kernel, matrixOfConvolution } from '../../../models/vad/convolution-matrix.ts';

/** Different numbers everywhere, so that none can stand in for another. */
const kernel = (outputs: number, inputs: number, taps: number): Kernel => ({
  data: Float32Array.from({ length: outputs * inputs * taps }, (_, at) => at * at + 1),
  outputs,
  inputs,
  taps,
});

function convolve(
  input: readonly number[],
  { data, outputs, inputs, taps }: Kernel,
  stride: number,
  padding: number,
): number[] {
  const positions = input.length / inputs;
  const result: number[] = [];
  for (let start = -padding; start + taps <= positions + padding; start += stride) {
    for (let output = 0; output < outputs; output++) {
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) {
        for (let channel = 0; channel < inputs; channel++) {
          const value = input[(start + tap) * inputs + channel] ?? 0;
          sum += value * data[(output * inputs + channel) * taps + tap]!;
        }
      }
      result.push(sum);
    }
  }
  return result;
}

test.each([
  { positions: 4, stride: 1, padding: 1 },
  { positions: 4, stride: 2, padding: 1 },
  { positions: 2, stride: 2, padding: 1 },
  { positions: 1, stride: 1, padding: 1 },
  { positions: 3, stride: 1, padding: 0 },
  { positions: 7, stride: 3, padding: 2 },
])(
  'a matrix gives what the convolution gives: $positions positions, stride $stride, padding $padding',
  (geometry) => {
    const weights = kernel(3, 2, 3);
    const input = Array.from({ length: geometry.positions * 2 }, (_, at) => at - 2);
    const { data, rows, columns } = matrixOfConvolution(weights, geometry);
    const product = Array.from({ length: columns }, (_, column) =>
      input.reduce((sum, value, row) => sum + value * data[row * columns + column]!, 0),
    );
    expect(rows).toBe(input.length);
    expect(product).toEqual(convolve(input, weights, geometry.stride, geometry.padding));
  },
);
