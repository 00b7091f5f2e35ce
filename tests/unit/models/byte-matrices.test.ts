import { expect, test } from 'vitest';
import { byteMatrices } from '../../../models/whisper/byte-matrices.ts';
import type { WhisperCheckpoint } from '../../../models/whisper/checkpoint.ts';

const QUANTIZED = new Map([['model.decoder.embed_tokens.weight.q', {}]]);
/** Nothing else of it is asked for. */
const checkpoint = (changes: object = {}) =>
  ({
    dModel: 384,
    encoderLayers: 4,
    tensors: QUANTIZED,
    ...changes,
  }) as unknown as WhisperCheckpoint;
const VNNI = { hasIntegerDotProduct: true };
const inLayer = (layer: number, name: string): string =>
  `model.encoder.layers.${layer}.${name}.weight`;

test('of the encoder behind its first layer, queries, keys and feed-forward multiply bytes', () => {
  const range = byteMatrices(checkpoint(), VNNI);
  const inEachLayer = (name: string) => [0, 1, 2, 3].map((layer) => range(inLayer(layer, name)));
  expect(inEachLayer('self_attn.q_proj')).toEqual([null, {}, {}, {}]);
  expect(inEachLayer('self_attn.k_proj')).toEqual([null, {}, {}, {}]);
  expect(inEachLayer('fc1')).toEqual([null, {}, {}, {}]);
});

test('values and the last fc2 do not multiply bytes; the other fc2 know their least value', () => {
  const range = byteMatrices(checkpoint(), VNNI);
  const inEachLayer = (name: string) => [0, 1, 2, 3].map((layer) => range(inLayer(layer, name)));
  const least = { lowest: -0.17 };
  expect(inEachLayer('fc2')).toEqual([null, least, least, null]);
  expect(inEachLayer('self_attn.v_proj')).toEqual([null, null, null, null]);
  expect(inEachLayer('self_attn.out_proj')).toEqual([null, null, null, null]);
});

test('of the decoder, only the keys of the audio do', () => {
  const range = byteMatrices(checkpoint(), VNNI);
  expect(range('model.decoder.layers.2.encoder_attn.k_proj.weight')).toEqual({});
  expect(range('model.decoder.layers.2.encoder_attn.v_proj.weight')).toBeNull();
  expect(range('model.decoder.layers.2.self_attn.k_proj.weight')).toBeNull();
  expect(range('model.decoder.layers.2.fc1.weight')).toBeNull();
});

test.each([
  ['the processor has no dot product of bytes', checkpoint(), {}],
  ['beams are searched', checkpoint(), { ...VNNI, search: 'beam' } as const],
  ['the weights are not in 8 bits', checkpoint({ tensors: new Map() }), VNNI],
  ['the network is large', checkpoint({ dModel: 1280 }), VNNI],
])('nothing multiplies bytes where %s', (_, ofCheckpoint, steps) => {
  expect(byteMatrices(ofCheckpoint, steps)(inLayer(1, 'fc1'))).toBeNull();
});
