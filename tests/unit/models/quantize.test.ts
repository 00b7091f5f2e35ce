import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  quantizeMatrix,
  toFloats,
  writeQuantizedSafetensors,
} from '../../../models/graph/quantize.ts';
import { readTensorTable } from '../../../models/graph/safetensors.ts';
import { Weights } from '../../../models/graph/weights.ts';
import { quantizedForm } from '../../../models/whisper/quantized-form.ts';
import { writeSafetensors } from '../../fakes/safetensors-files.ts';
import { runGraph } from '../../golden/run-graph.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stt-quantize-'));
});
afterAll(() => rm(folder, { recursive: true }));

const floatBytes = (values: Float32Array): Uint8Array => new Uint8Array(values.buffer);

test('no value moves by more than half a step of its block', () => {
  const value = fc.float({ min: -1000, max: 1000, noNaN: true });
  fc.assert(
    fc.property(fc.array(value, { minLength: 96, maxLength: 96 }), (values) => {
      const { bytes, scales } = quantizeMatrix(Float32Array.from(values), 32);
      for (const [i, original] of Float32Array.from(values).entries()) {
        const scale = scales[i >> 5]!;
        expect(Math.abs((bytes[i]! - 128) * scale - original)).toBeLessThanOrEqual(
          scale * 0.5 + 1e-6 * Math.abs(original),
        );
      }
    }),
    { numRuns: 200 },
  );
});

test('a block of zeros stays zero and extremes stay inside a byte', () => {
  const { bytes, scales } = quantizeMatrix(
    Float32Array.from({ length: 64 }, (_, i) => (i < 32 ? 0 : i === 32 ? -5 : 5)),
    32,
  );
  expect([...bytes.slice(0, 32)]).toEqual(new Array(32).fill(128));
  expect(scales[0]).toBe(0);
  expect(bytes[32]! - 128).toBe(128 - bytes[33]!);
  expect(bytes[33]).toBeGreaterThan(248);
});

test('binary16 and bfloat16 are read exactly, small and infinite values too', () => {
  const halves = new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0x3555).buffer);
  expect([...toFloats(halves, 'F16')].slice(0, 4)).toEqual([1, -2, 2 ** -24, Infinity]);
  expect(toFloats(halves, 'F16')[4]).toBeCloseTo(1 / 3, 3);
  const brains = new Uint8Array(Uint16Array.of(0x3f80, 0xc000, 0x4049).buffer);
  expect([...toFloats(brains, 'BF16')]).toEqual([1, -2, 3.140625]);
});

test.each([16, 32])(
  'the written file computes what the float matrix computes, quantized and expanded, in blocks of %i',
  async (blockLength) => {
    const [rows, columns] = [48, 64];
    const matrix = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 0.7) / 8);
    const bias = Float32Array.from({ length: rows }, (_, i) => i / 100);
    const source = join(folder, 'model.safetensors');
    await writeSafetensors(source, {
      'layer.weight': { dtype: 'F32', shape: [rows, columns], bytes: floatBytes(matrix) },
      'layer.bias': { dtype: 'F32', shape: [rows], bytes: floatBytes(bias) },
    });
    const target = join(folder, `quantized-${blockLength}`);
    await mkdir(target);
    await writeQuantizedSafetensors(
      await readTensorTable(folder),
      join(target, 'model.safetensors'),
      () => blockLength,
    );

    const x = Float32Array.from({ length: 2 * columns }, (_, i) => Math.cos(i * 0.3));
    const resultOf = async (from: string, expand: boolean): Promise<number[]> => {
      const weights = new Weights(await readTensorTable(from), {
        computeType: 'float32',
        expandQuantized: () => expand,
      });
      const outputs = await runGraph(
        (graph) => {
          const input = graph.input('x', 'float32', [2, columns]);
          graph.output('whole', weights.linear(graph, input, 'layer'), 'float32', [2, rows]);
          const part = weights.embedding(graph, graph.integers([3, 40]), 'layer');
          graph.output('rows', part, 'float32', [2, columns]);
        },
        { x: { type: 'float32', data: x, dims: [2, columns] } },
      );
      return [...outputs['whole']!.data, ...outputs['rows']!.data].map(Number);
    };
    const exact = await resultOf(folder, false);
    for (const expand of [false, true]) {
      const close = await resultOf(target, expand);
      const largest = Math.max(...exact.map((value, i) => Math.abs(value - close[i]!)));
      expect(largest).toBeGreaterThan(0);
      expect(largest).toBeLessThan(0.03);
    }
  },
);

test('a quantized checkpoint is not quantized twice', async () => {
  const tensors = await readTensorTable(join(folder, 'quantized-32'));
  await expect(
    writeQuantizedSafetensors(tensors, join(folder, 'twice.safetensors'), () => 32),
  ).rejects.toMatchObject({ code: 'MODEL_INVALID' });
});

test('a block has the scale that rounds it best of some', () => {
  const values = Float32Array.from({ length: 3200 }, (_, i) => Math.sin(i * i) + Math.cos(3 * i));
  const { bytes, scales } = quantizeMatrix(values, 32);
  let [error, errorOfFirst] = [0, 0];
  for (const [i, value] of values.entries()) {
    const block = values.subarray(32 * (i >> 5), 32 * ((i >> 5) + 1));
    const scale = block.reduce((most, one) => Math.max(most, Math.abs(one)), 0) / 127;
    error += ((bytes[i]! - 128) * scales[i >> 5]! - value) ** 2;
    errorOfFirst += (Math.round(value / scale) * scale - value) ** 2;
  }
  expect(error / errorOfFirst).toBeLessThan(0.9);
});

test('of a small network the encoder is in 8 bits where it is robust, a large one everywhere', () => {
  const small = quantizedForm({ dModel: 512, encoderLayers: 6 });
  expect(small('model.encoder.layers.0.fc1.weight')).toBeNull();
  expect(small('model.encoder.layers.1.fc1.weight')).toBe(32);
  expect(small('model.encoder.layers.4.fc2.weight')).toBe(32);
  expect(small('model.encoder.layers.5.fc2.weight')).toBeNull();
  expect(small('model.encoder.layers.1.self_attn.q_proj.weight')).toBe(32);
  expect(small('model.encoder.layers.1.self_attn.v_proj.weight')).toBeNull();
  expect(small('model.encoder.layers.1.self_attn.out_proj.weight')).toBeNull();
  expect(small('model.decoder.layers.0.fc1.weight')).toBe(16);
  expect(small('model.decoder.embed_tokens.weight')).toBe(32);
  const large = quantizedForm({ dModel: 1280, encoderLayers: 32 });
  expect(large('model.encoder.layers.0.fc1.weight')).toBe(32);
});
