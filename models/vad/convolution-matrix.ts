/** A one-dimensional convolution's weights, `[outputs, inputs, taps]`. */
export interface Kernel {
  readonly data: Float32Array;
  readonly outputs: number;
  readonly inputs: number;
  readonly taps: number;
}

export interface ConvolutionGeometry {
  /** Of the input. */
  readonly positions: number;
  readonly stride?: number;
  /** Zeros in front of the first position and behind the last. */
  readonly padding?: number;
}

export interface Matrix {
  readonly data: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/**
 * The matrix `[positions · inputs, outputPositions · outputs]` whose product with a flattened input
 * `[positions, inputs]` is the flattened output of the convolution, `[outputPositions, outputs]`.
 */
export function matrixOfConvolution(
  { data, outputs, inputs, taps }: Kernel,
  { positions, stride = 1, padding = 0 }: ConvolutionGeometry,
): Matrix {
  const outputPositions = Math.floor((positions + 2 * padding - taps) / stride) + 1;
  const [rows, columns] = [positions * inputs, outputPositions * outputs];
  const matrix = new Float32Array(rows * columns);
  for (let to = 0; to < outputPositions; to++) {
    for (let tap = 0; tap < taps; tap++) {
      const from = to * stride + tap - padding;
      if (from < 0 || from >= positions) continue;
      for (let output = 0; output < outputs; output++) {
        for (let input = 0; input < inputs; input++) {
          matrix[(from * inputs + input) * columns + to * outputs + output] =
            data[(output * inputs + input) * taps + tap]!;
        }
      }
    }
  }
  return { data: matrix, rows, columns };
}
