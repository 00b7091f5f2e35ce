import { InferenceSession } from 'onnxruntime-node';
import { SttError } from '../../core/errors.ts';
import type { DeviceOptions } from './protocol.ts';

/** Errors only: warnings of the runtime are about our graph, not for the operator. */
const LOG_SEVERITY_ERROR = 3;

/**
 * The one place that chooses execution providers, so that a CPU run is never a silent fallback:
 * a missing CUDA library makes `create` fail.
 *
 * - memory patterns are off: their key collides for growing keys and values
 * - initializers bypass the arena: it grows in powers of two and would hold the weights twice
 * - external data is relative to '/', with real paths: see docs/decisions/0002
 * @throws {SttError} MODEL_LOAD_FAILED, DEVICE_UNAVAILABLE.
 */
export async function createSession(
  model: Uint8Array | string,
  { device, threads }: DeviceOptions,
): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: device === 'cuda' ? [{ name: 'cuda', deviceId: 0 }, 'cpu'] : ['cpu'],
    graphOptimizationLevel: 'all',
    enableMemPattern: false,
    logSeverityLevel: LOG_SEVERITY_ERROR,
    ...(threads > 0 && { intraOpNumThreads: threads }),
    extra: {
      session: {
        model_external_initializers_file_folder_path: '/',
        use_device_allocator_for_initializers: '1',
      },
    },
  };
  try {
    return typeof model === 'string'
      ? await InferenceSession.create(model, options)
      : await InferenceSession.create(model, options);
  } catch (error) {
    const isProvider = error instanceof Error && error.message.includes('AppendExecutionProvider');
    throw new SttError(
      isProvider ? 'DEVICE_UNAVAILABLE' : 'MODEL_LOAD_FAILED',
      isProvider
        ? 'CUDA was asked for, but its libraries could not be loaded'
        : `A model could not be loaded on ${device}`,
      { cause: error },
    );
  }
}
