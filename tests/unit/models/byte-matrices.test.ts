import { expect, test } from 'vitest';
import { byteMatrices } from '../../../models/whisper/byte-matrices.ts';
import type { WhisperCheckpoint } from '../../../models/whisper/checkpoint.ts';

const QUANTIZED = new Map([['model.decoder.embed_tokens.weight.q', {}]]);
/** Nothing else of it is asked for. */
const checkpoint = (changes: object = {}) =>
  ({
    dModel: 384,
    tensors: QUANTIZED,
    ...changes,
  }) as unknown as WhisperCheckpoint;
const VNNI = { hasIntegerDotProduct: true };
const inLayer = (layer: number, name: string): string =>
  `model.encoder.layers.${layer}.${name}.weight`;

test('of the encoder behind its first layer, queries, keys and fc1 multiply bytes', () => {
  const isInBytes = byteMatrices(checkpoint(), VNNI);
  const inEachLayer = (name: string) =>
    [0, 1, 2, 3].map((layer) => isInBytes(inLayer(layer, name)));
  expect(inEachLayer('self_attn.q_proj')).toEqual([false, true, true, true]);
  expect(inEachLayer('self_attn.k_proj')).toEqual([false, true, true, true]);
  expect(inEachLayer('fc1')).toEqual([false, true, true, true]);
});

test('values, output projections and fc2 do not', () => {
  const isInBytes = byteMatrices(checkpoint(), VNNI);
  const inEachLayer = (name: string) =>
    [0, 1, 2, 3].map((layer) => isInBytes(inLayer(layer, name)));
  expect(inEachLayer('fc2')).toEqual([false, false, false, false]);
  expect(inEachLayer('self_attn.v_proj')).toEqual([false, false, false, false]);
  expect(inEachLayer('self_attn.out_proj')).toEqual([false, false, false, false]);
});

test('of the decoder, only the keys of the audio do', () => {
  const isInBytes = byteMatrices(checkpoint(), VNNI);
  expect(isInBytes('model.decoder.layers.2.encoder_attn.k_proj.weight')).toBe(true);
  expect(isInBytes('model.decoder.layers.2.encoder_attn.v_proj.weight')).toBe(false);
  expect(isInBytes('model.decoder.layers.2.self_attn.k_proj.weight')).toBe(false);
  expect(isInBytes('model.decoder.layers.2.fc1.weight')).toBe(false);
});

test.each([
  ['the processor has no dot product of bytes', checkpoint(), {}],
  ['beams are searched', checkpoint(), { ...VNNI, search: 'beam' } as const],
  ['the weights are not in 8 bits', checkpoint({ tensors: new Map() }), VNNI],
  ['the network is large', checkpoint({ dModel: 1280 }), VNNI],
])('nothing multiplies bytes where %s', (_, ofCheckpoint, steps) => {
  expect(byteMatrices(ofCheckpoint, steps)(inLayer(1, 'fc1'))).toBe(false);
});
