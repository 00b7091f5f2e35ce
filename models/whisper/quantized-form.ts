import type { BlockOf } from '../graph/quantize.ts';
import { isRobustEncoderMatrix } from './byte-matrices.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import { WIDEST_EXPANDED } from './expanded-matrices.ts';

const COARSE_BLOCK = 32;
/** Half the error, of weights and of what they meet, for a seventh more time in these matrices. */
const FINE_BLOCK = 16;

/**
 * How a Whisper's matrices are stored in 8 bits. Of networks up to 768 wide the encoder keeps what is not
 * robust as it is, and the decoder's layers have small blocks; the token embeddings, two thirds of what a
 * step reads, do not: see docs/decisions/0004.
 */
export const quantizedForm =
  (checkpoint: Pick<WhisperCheckpoint, 'dModel' | 'encoderLayers'>): BlockOf =>
  (name) => {
    if (checkpoint.dModel > WIDEST_EXPANDED) return COARSE_BLOCK;
    if (name.startsWith('model.decoder.layers.')) return FINE_BLOCK;
    const staysFloat =
      name.startsWith('model.encoder.') && !isRobustEncoderMatrix(name, checkpoint);
    return staysFloat ? null : COARSE_BLOCK;
  };
