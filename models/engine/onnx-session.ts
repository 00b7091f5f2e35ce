import { SttError } from '../../core/errors.ts';
import { env, InferenceSession } from './onnxruntime.ts';
import type { DeviceOptions } from './protocol.ts';
import { isOutOfMemory } from './run-failure.ts';

/** Errors only: warnings of the runtime are about our graph, not for the operator. */
const LOG_SEVERITY_ERROR = 3;
/** What CUDA's kernels say while they are made has no session yet. */
env.logLevel = 'error';

/**
 * The one place that chooses execution providers, so that a CPU run is never a silent fallback:
 * a missing CUDA library makes `create` fail.
 *
 * - memory patterns are off: their key collides for growing keys and values
 * - initializers bypass the arena: it grows in powers of two and would hold the weights twice
 * - threads do not spin while they wait: as fast alone, 15 % faster beside a busy process
 * - external data is relative to '/', with real paths: see docs/decisions/0002
 * @param profilePrefix where the runtime writes its profile at `endProfiling`; none by default.
 * @throws {SttError} MODEL_LOAD_FAILED, DEVICE_UNAVAILABLE, GPU_OUT_OF_MEMORY.
 */
export async function createSession(
  model: Uint8Array | string,
  { device, threads }: DeviceOptions,
  profilePrefix?: string,
): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: device === 'cuda' ? [{ name: 'cuda', deviceId: 0 }, 'cpu'] : ['cpu'],
    graphOptimizationLevel: 'all',
    enableMemPattern: false,
    logSeverityLevel: LOG_SEVERITY_ERROR,
    ...(threads > 0 && { intraOpNumThreads: threads }),
    ...(profilePrefix !== undefined && {
      enableProfiling: true,
      profileFilePrefix: profilePrefix,
    }),
    extra: {
      session: {
        model_external_initializers_file_folder_path: '/',
        use_device_allocator_for_initializers: '1',
        intra_op: { allow_spinning: '0' },
      },
    },
  };
  try {
    return typeof model === 'string'
      ? await InferenceSession.create(model, options)
      : await InferenceSession.create(model, options);
  } catch (error) {
    throw loadFailure(error, device);
  }
}

/** What the runtime says about loading is about files and libraries, never about anyone's speech. */
const MAX_REASON_LENGTH = 300;

/** Memory is told apart: it is a question of what else is loaded, and may be had later. */
export function loadFailure(error: unknown, device: DeviceOptions['device']): SttError {
  const text = error instanceof Error ? error.message : '';
  const reason = text.slice(0, MAX_REASON_LENGTH);
  if (isOutOfMemory(text)) {
    const message = `The device has too little memory for this model (${device})`;
    return new SttError('GPU_OUT_OF_MEMORY', message, { cause: error });
  }
  return reason.includes('AppendExecutionProvider')
    ? new SttError(
        'DEVICE_UNAVAILABLE',
        `CUDA was asked for, but its libraries could not be loaded: ${reason}`,
        { cause: error },
      )
    : new SttError('MODEL_LOAD_FAILED', `A model could not be loaded on ${device}: ${reason}`, {
        cause: error,
      });
}
