import { SttError } from '../../core/errors.ts';

const MAX_REASON_LENGTH = 300;

/**
 * As the runtime, CUDA, cuBLAS and cuDNN say it. The last two may call a lack of memory an internal
 * failure, or that a plan could not be built: a smaller batch is worth a try after each of theirs.
 */
const OUT_OF_MEMORY =
  /out of memory|Failed to allocate memory|bad_alloc|BFCArena|CUDA failure 2:|(?:CUBLAS|CUDNN(?:_FE)?) failure/i;

/**
 * Errors of CUDA after which every further call of the process fails too: the device is gone or
 * faulty, or its memory was corrupted (CUDA Runtime API, `cudaError_t`).
 */
const DEVICE_LOST = /CUDA failure (?:46|100|101|214|7[01]\d|999):/;

/** Whether the runtime, CUDA or one of its libraries says that memory has run out. */
export const isOutOfMemory = (text: string): boolean => OUT_OF_MEMORY.test(text);

/**
 * What a failed run means. The runtime's own words, which are about nodes and shapes and never about
 * speech, become our message one cause down: they reach the log, not the caller.
 */
export function runFailure(error: unknown): SttError {
  const text = error instanceof Error ? error.message : '';
  const reason = text.slice(0, MAX_REASON_LENGTH);
  const cause = new SttError('INTERNAL', `The runtime says: ${reason}`, { cause: error });
  if (isOutOfMemory(text)) {
    const message = 'The device has too little memory for this batch';
    return new SttError('GPU_OUT_OF_MEMORY', message, { cause });
  }
  if (DEVICE_LOST.test(text)) return new SttError('ENGINE_CRASHED', 'The GPU was lost', { cause });
  return new SttError('INTERNAL', 'A model run failed', { cause });
}
