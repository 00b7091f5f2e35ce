import type { WhisperCheckpoint } from './checkpoint.ts';

/** Rows from which on a decoder step is bound by arithmetic, not by reading its weights. */
const MANY_ROWS = 4;
/**
 * Width of the largest network that is expanded: the runtime folds constants one after the other
 * and keeps every step in float32 until the last, four times the weights. For large-v3 that is
 * 25 GB of the host's memory.
 */
export const WIDEST_EXPANDED = 768;

/**
 * Which 8-bit matrices compute in float32. In small networks always those that meet 1,500 positions
 * at once, the encoder and the decoder's projections of its output: twice as fast on a CPU with
 * AVX2. The decoder's own where a step has several rows and the CPU has no dot product of bytes:
 * see bench/LOG.md.
 */
export const expandedMatrices =
  ({ dModel }: WhisperCheckpoint, batchSize: number, hasIntegerDotProduct = false) =>
  (name: string): boolean =>
    dModel <= WIDEST_EXPANDED &&
    (name.startsWith('model.encoder.') ||
      /encoder_attn\.[kv]_proj\./.test(name) ||
      (batchSize >= MANY_ROWS && !hasIntegerDotProduct));
