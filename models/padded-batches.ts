import { SttError } from '../core/errors.ts';
import type { InferenceEngine } from './engine/engine.ts';

export interface BatchOptions {
  readonly rowSamples: number;
  /** Rows of one run at most, until memory proves too small for that. */
  readonly batchSize: number;
  /** Rows behind the batch's own are silence: every run then has a shape that cuDNN knows. */
  readonly isPadded: boolean;
}

/** Outputs of one run, `[rows, …]` in row-major order. */
type Run = (rows: Float32Array<ArrayBuffer>, count: number) => Promise<Float32Array>;

/**
 * Runs any number of equally long waveforms in batches. A GPU always sees full ones; when its memory
 * runs out, the batch size is halved for good and the rows are tried again.
 */
export class PaddedBatches {
  readonly #options: BatchOptions;
  #batchSize: number;

  constructor(options: BatchOptions) {
    this.#options = options;
    this.#batchSize = options.batchSize;
  }

  static on(engine: InferenceEngine, rowSamples: number, batchSize: number): PaddedBatches {
    return new PaddedBatches({ rowSamples, batchSize, isPadded: engine.device === 'cuda' });
  }

  /**
   * The outputs of all rows, one after the other.
   * @throws {SttError} GPU_OUT_OF_MEMORY when a single row does not fit; whatever `run` throws.
   */
  async run(waveforms: Float32Array, run: Run, signal: AbortSignal): Promise<Float32Array> {
    const { rowSamples, isPadded } = this.#options;
    const rows = waveforms.length / rowSamples;
    const outputs: Float32Array[] = [];
    for (let first = 0; first < rows; ) {
      signal.throwIfAborted();
      const count = Math.min(this.#batchSize, rows - first);
      const size = isPadded ? this.#batchSize : count;
      const batch = new Float32Array(size * rowSamples);
      batch.set(waveforms.subarray(first * rowSamples, (first + count) * rowSamples));
      try {
        const output = await run(batch, size);
        outputs.push(output.subarray(0, (output.length / size) * count));
        first += count;
      } catch (error) {
        if (!(error instanceof SttError && error.code === 'GPU_OUT_OF_MEMORY') || size === 1) {
          throw error;
        }
        this.#batchSize = Math.max(1, size >> 1);
      }
    }
    signal.throwIfAborted();
    return joined(outputs);
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
