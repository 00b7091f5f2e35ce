import type { WhisperCheckpoint } from './checkpoint.ts';

/** Rows from which on a decoder step is bound by arithmetic, not by reading its weights. */
const MANY_ROWS = 4;
/**
 * Width of the largest network that is expanded: the runtime folds constants one after the other
 * and keeps every step in float32 until the last, four times the weights. For large-v3 that is
 * 25 GB of the host's memory.
 */
export const WIDEST_EXPANDED = 768;

/** What it meets has outliers: of a step's matrices in 8 bits the one that moves the text most. */
const DECODER_FC2 = /decoder\.layers\.\d+\.fc2\./;
/** Of the encoder's output. */
const CROSS_PROJECTION = /encoder_attn\.[kv]_proj\./;

/** In 8 bits in every checkpoint that is. */
const TOKEN_EMBEDDINGS = 'model.decoder.embed_tokens.weight.q';

/** What decides about a decoder's own matrices. */
export interface DecoderSteps {
  readonly batchSize: number;
  readonly search?: 'greedy' | 'beam' | undefined;
  readonly hasIntegerDotProduct?: boolean;
}

/**
 * Which 8-bit matrices compute in float32. In small networks always those that meet 1,500 positions
 * at once, the encoder and the decoder's projections of its output: twice as fast on a CPU with
 * AVX2; and the decoder's `fc2`, for its accuracy. The decoder's other ones where a step has several
 * rows and the CPU has no dot product of bytes, and in a beam search, which weighs small differences:
 * with its activations in 8 bits too 3.0 instead of 0.9 % of the words are others, 28 % sooner. See
 * bench/LOG.md.
 */
export const expandedMatrices =
  (
    { dModel }: WhisperCheckpoint,
    { batchSize, search, hasIntegerDotProduct = false }: DecoderSteps,
  ) =>
  (name: string): boolean =>
    dModel <= WIDEST_EXPANDED &&
    (name.startsWith('model.encoder.') ||
      CROSS_PROJECTION.test(name) ||
      DECODER_FC2.test(name) ||
      search === 'beam' ||
      (batchSize >= MANY_ROWS && !hasIntegerDotProduct));

/**
 * Whether bytes are multiplied with bytes: where the checkpoint is in 8 bits and the CPU has a dot
 * product of them, without which sums of two products overflow. A beam search weighs small
 * differences, other checkpoints are to be exact.
 */
export const multipliesBytes = (
  { tensors }: Pick<WhisperCheckpoint, 'tensors'>,
  { search, hasIntegerDotProduct = false }: Omit<DecoderSteps, 'batchSize'>,
): boolean => hasIntegerDotProduct && search !== 'beam' && tensors.has(TOKEN_EMBEDDINGS);
