import { expect, it } from 'vitest';
import { namesIntegerDotProduct } from '../../../models/engine/integer-dot-product.ts';
import type { WhisperCheckpoint } from '../../../models/whisper/checkpoint.ts';
import { expandedMatrices, multipliesBytes } from '../../../models/whisper/expanded-matrices.ts';

it('reads off the processor whether it has a dot product of bytes', () => {
  expect(namesIntegerDotProduct('model name\t: X\nflags\t\t: fpu avx2 avx512_vnni fma\n')).toBe(
    true,
  );
  expect(namesIntegerDotProduct('flags\t\t: fpu avx2 fma avx_vnni')).toBe(true);
  expect(namesIntegerDotProduct('Features\t: fp asimd asimddp\n')).toBe(true);
  expect(namesIntegerDotProduct('flags\t\t: fpu avx2 avx512f fma\n')).toBe(false);
  expect(namesIntegerDotProduct('')).toBe(false);
});

it('keeps the matrices of a batch in 8 bits only where the processor multiplies bytes', () => {
  const small = { dModel: 384 } as WhisperCheckpoint; // Nothing else of it is asked for.
  const large = { dModel: 1280 } as WhisperCheckpoint;
  const step = 'model.decoder.layers.0.fc1.weight';
  const encoder = 'model.encoder.layers.0.fc1.weight';
  expect(expandedMatrices(small, { batchSize: 8 })(step)).toBe(true);
  expect(expandedMatrices(small, { batchSize: 8, hasIntegerDotProduct: true })(step)).toBe(false);
  expect(expandedMatrices(small, { batchSize: 1 })(step)).toBe(false);
  const beams = { batchSize: 1, search: 'beam', hasIntegerDotProduct: true } as const;
  expect(expandedMatrices(small, beams)(step)).toBe(true);
  expect(expandedMatrices(small, { batchSize: 8, hasIntegerDotProduct: true })(encoder)).toBe(true);
  expect(expandedMatrices(large, { batchSize: 8 })(encoder)).toBe(false);
});

it('multiplies bytes where the checkpoint is stored in them and nothing is to be exact', () => {
  const stored = { type: 'U8', shape: [1], file: '/x', offsetBytes: 0, lengthBytes: 1 } as const;
  const name = 'model.decoder.embed_tokens.weight';
  const inBytes = { tensors: new Map([[`${name}.q`, stored]]) };
  const inFloats = { tensors: new Map([[name, stored]]) };
  expect(multipliesBytes(inBytes, { hasIntegerDotProduct: true })).toBe(true);
  expect(multipliesBytes(inBytes, { hasIntegerDotProduct: true, search: 'beam' })).toBe(false);
  expect(multipliesBytes(inBytes, { hasIntegerDotProduct: false })).toBe(false);
  expect(multipliesBytes(inFloats, { hasIntegerDotProduct: true })).toBe(false);
});
