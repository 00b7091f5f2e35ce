import { expect, test } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import { packFailure, unpackFailure } from '../../../models/engine/failure-message.ts';
import { runFailure } from '../../../models/engine/run-failure.ts';

test.each([
  ['CUDA failure 2: out of memory ; GPU=0 ; hostname=h ; file=f ; line=1', 'GPU_OUT_OF_MEMORY'],
  ['CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0', 'GPU_OUT_OF_MEMORY'],
  ['CUDNN failure 4003: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED', 'GPU_OUT_OF_MEMORY'],
  ['BFCArena::AllocateRawInternal Failed to allocate memory for requested', 'GPU_OUT_OF_MEMORY'],
  ['std::bad_alloc', 'GPU_OUT_OF_MEMORY'],
  ['CUDNN_FE failure 11: CUDNN_BACKEND_API_FAILED ; GPU=0', 'GPU_OUT_OF_MEMORY'],
  ['CUBLAS failure 1: CUBLAS_STATUS_NOT_INITIALIZED ; GPU=0', 'GPU_OUT_OF_MEMORY'],
  ['CUDA failure 700: an illegal memory access was encountered ; GPU=0', 'ENGINE_CRASHED'],
  ['CUDA failure 719: unspecified launch failure ; GPU=0', 'ENGINE_CRASHED'],
  ['CUDA failure 214: uncorrectable ECC error encountered ; GPU=0', 'ENGINE_CRASHED'],
  ['CUDA failure 9: invalid configuration argument ; GPU=0', 'INTERNAL'],
  ['Non-zero status code returned while running Expand node', 'INTERNAL'],
])('“%s” is %s', (message, code) => {
  expect(runFailure(new Error(message))).toMatchObject({
    code,
    cause: { code: 'INTERNAL', message: `The runtime says: ${message}` },
  });
});

test('what the runtime says is not for callers and is cut to a length', () => {
  const failure = runFailure(new Error('x'.repeat(5000)));
  expect(JSON.stringify(failure)).not.toContain('xxx');
  expect((failure.cause as Error).message.length).toBeLessThan(400);
});

test('an error crosses the threads with its chain of causes, codes and frames', () => {
  const foreign = new RangeError('foreign words');
  const sent = new SttError('INTERNAL', 'A model run failed', { cause: foreign });
  const received = unpackFailure(structuredClone(packFailure(sent)));
  expect(received).toBeInstanceOf(SttError);
  expect(received).toMatchObject({ code: 'INTERNAL', message: 'A model run failed' });
  expect(received.stack).toContain('run-failure.test');
  expect(received.cause).toMatchObject({ name: 'RangeError', message: '' });
  expect((received.cause as Error).stack).toContain('run-failure.test');
});

test('something thrown that is no error crosses the threads as its type', () => {
  const received = unpackFailure(packFailure('some text'));
  expect(received).toMatchObject({ name: 'string', message: '' });
});
