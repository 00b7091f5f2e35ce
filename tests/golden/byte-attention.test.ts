import { expect, test } from 'vitest';
import { hasIntegerDotProduct } from '../../models/engine/integer-dot-product.ts';
import { byteAttention, byteKeyValues } from '../../models/whisper/byte-attention.ts';
import { type GraphOutput, runGraph } from './run-graph.ts';

const WINDOWS = 2;
const HEADS = 3;
const SIZE = 16;
const AUDIO_POSITIONS = 700;

/** Waves, each channel with its own height and middle. */
const waves = (length: number, phase: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => {
    const channel = i % SIZE;
    return (1 + channel) * (0.3 * Math.sin(0.37 * i + phase) + Math.sin(i * i)) + 5 * channel;
  });

const audioOf = (phase: number) => waves(WINDOWS * HEADS * AUDIO_POSITIONS * SIZE, phase);
const float32 = (data: Float32Array<ArrayBuffer>, dims: readonly number[]) =>
  ({ type: 'float32', data, dims }) as const;

/** Queries that look for a few positions (large) or at all alike (small). */
const queryOf = (positions: number, height: number): Float32Array<ArrayBuffer> =>
  waves(WINDOWS * positions * HEADS * SIZE, 2).map((value, i) => height * (value - 5 * (i % SIZE)));

async function attend(query: Float32Array<ArrayBuffer>, values: Float32Array<ArrayBuffer>) {
  const positions = query.length / (WINDOWS * HEADS * SIZE);
  const audioDims = [WINDOWS, HEADS, AUDIO_POSITIONS, SIZE];
  const { exact, bytes } = await runGraph(
    (graph) => {
      const asked = graph.input('query', 'float32', ['windows', 'positions', HEADS * SIZE]);
      const [keys, said] = ['keys', 'values'].map((name) =>
        graph.input(name, 'float32', ['windows', HEADS, 'audio', SIZE]),
      );
      const shape = ['windows', 'positions', HEADS * SIZE];
      const attended = graph.op('MultiHeadAttention', [asked, keys!, said!], {
        num_heads: { int: HEADS },
      });
      graph.output('exact', attended, 'float32', shape);
      const audio = byteKeyValues(graph, { keys: keys!, values: said! }, SIZE);
      graph.output('bytes', byteAttention(graph, asked, audio, HEADS), 'float32', shape);
    },
    {
      query: float32(query, [WINDOWS, positions, HEADS * SIZE]),
      keys: float32(audioOf(1), audioDims),
      values: float32(values, audioDims),
    },
  );
  return { exact: exact!, bytes: bytes! };
}

/** Root of the mean square of the differences, each as a part of its channel's height. */
function error(exact: GraphOutput, bytes: GraphOutput): number {
  const squares = Array.from(exact.data, Number).map(
    (value, i) => ((value - Number(bytes.data[i])) / (1 + (i % SIZE))) ** 2,
  );
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
}

// Without the dot product two products of bytes are summed in 16 bits, where they do not fit.
const NEEDED = hasIntegerDotProduct() ? '' : ' (skipped: the CPU has no dot product of bytes)';
const withDotProduct = test.skipIf(NEEDED !== '');

withDotProduct.each([
  { name: 'one position that looks for a few', positions: 1, height: 0.5, limit: 0.02 },
  { name: 'one position that looks at all alike', positions: 1, height: 1e-3, limit: 0.001 },
  { name: 'five positions of a window', positions: 5, height: 0.1, limit: 0.01 },
])(
  `attention in bytes is that in floats within $limit of the values: $name${NEEDED}`,
  async ({ positions, height, limit }) => {
    const { exact, bytes } = await attend(queryOf(positions, height), audioOf(0));
    expect(bytes.dims).toEqual(exact.dims);
    expect(error(exact, bytes)).toBeLessThan(limit);
  },
);

withDotProduct(`attention in bytes has a value where nothing varies${NEEDED}`, async () => {
  const still = audioOf(0).fill(0.25);
  const { bytes } = await attend(queryOf(1, 0), still);
  for (const value of bytes.data) expect(value).toBeCloseTo(0.25, 5);
});
