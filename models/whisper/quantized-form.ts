import type { BlockOf } from '../graph/quantize.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import { WIDEST_EXPANDED } from './expanded-matrices.ts';

const COARSE_BLOCK = 32;
/** Half the error, of weights and of what they meet, for a seventh more time in these matrices. */
const FINE_BLOCK = 16;

/**
 * How a Whisper's matrices are stored in 8 bits. Of small networks the encoder stays as it is, since it
 * computes in float32 anyway, and the decoder's layers have small blocks; the embeddings, two thirds of
 * what a step reads, do not: see docs/decisions/0004.
 */
export const quantizedForm =
  ({ dModel }: Pick<WhisperCheckpoint, 'dModel'>): BlockOf =>
  (name) => {
    if (dModel > WIDEST_EXPANDED) return COARSE_BLOCK;
    if (name.startsWith('model.encoder.')) return null;
    return name.startsWith('model.decoder.layers.') ? FINE_BLOCK : COARSE_BLOCK;
  };
