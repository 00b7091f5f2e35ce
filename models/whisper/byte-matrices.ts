import type { WhisperCheckpoint } from './checkpoint.ts';
import { type DecoderSteps, multipliesBytes, WIDEST_EXPANDED } from './expanded-matrices.ts';

const ENCODER_MATRIX = /^model\.encoder\.layers\.(\d+)\.(self_attn\.[qk]_proj|fc1)\./;
const AUDIO_KEYS = '.encoder_attn.k_proj.weight';

/**
 * Which of a checkpoint's matrices multiply bytes where that may be (`multipliesBytes`): of those that
 * meet 1,500 positions at once, the ones whose rounding hardly moves the text, that of what they meet
 * included. Not among them: projections of values, the first layer, whose rounding counts as much as
 * that of all others, and `fc2`, of whose inputs a few are far above the others. See
 * docs/decisions/0028.
 */
export function byteMatrices(
  checkpoint: WhisperCheckpoint,
  steps: Omit<DecoderSteps, 'batchSize'>,
): (name: string) => boolean {
  const { dModel } = checkpoint;
  const isServed = multipliesBytes(checkpoint, steps) && dModel <= WIDEST_EXPANDED;
  return (name) => {
    const layer = ENCODER_MATRIX.exec(name)?.[1];
    const isRobust = name.endsWith(AUDIO_KEYS) || (layer !== undefined && layer !== '0');
    return isServed && isRobust;
  };
}
