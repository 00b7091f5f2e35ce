import type { ByteRange } from '../graph/byte-matrix.ts';
import type { WeightOptions } from '../graph/weights.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import {
  type DecoderSteps,
  expandedMatrices,
  multipliesBytes,
  WIDEST_EXPANDED,
} from './expanded-matrices.ts';

const ENCODER_MATRIX = /^model\.encoder\.layers\.(\d+)\.(self_attn\.[qk]_proj|fc[12])\./;
const AUDIO_KEYS = '.encoder_attn.k_proj.weight';
/** Of GELU: all that `fc2` meets. */
const GELU_MINIMUM = -0.17;

/**
 * Which matrices of the encoder move the text hardly by being in 8 bits, their inputs too: query, key,
 * `fc1` and `fc2`. Not the first layer, whose rounding counts as much as that of all others, nor the last
 * layer's `fc2`, of whose inputs a few are a hundred times the others. See docs/decisions/0028.
 */
export function isRobustEncoderMatrix(
  name: string,
  { encoderLayers }: Pick<WhisperCheckpoint, 'encoderLayers'>,
): boolean {
  const [, layer, part] = ENCODER_MATRIX.exec(name) ?? [];
  return layer !== undefined && layer !== '0' && !(part === 'fc2' && +layer === encoderLayers - 1);
}

/**
 * Which of a checkpoint's matrices multiply int8 where that may be (`multipliesBytes`): the robust ones
 * of the encoder, and the keys of the cross-attention cache.
 */
export function byteMatrices(
  checkpoint: WhisperCheckpoint,
  steps: Omit<DecoderSteps, 'batchSize'>,
): (name: string) => ByteRange | null {
  const isServed = multipliesBytes(checkpoint, steps) && checkpoint.dModel <= WIDEST_EXPANDED;
  return (name) => {
    if (!isServed) return null;
    if (name.endsWith(AUDIO_KEYS)) return {};
    if (!isRobustEncoderMatrix(name, checkpoint)) return null;
    return name.includes('.fc2.') ? { lowest: GELU_MINIMUM } : {};
  };
}

/** How a checkpoint's weights are met in a whole graph; `hasIntegerDotProduct` is for the CPU alone. */
export const weightForm = (
  checkpoint: WhisperCheckpoint,
  steps: DecoderSteps,
): Omit<WeightOptions, 'computeType'> => ({
  expandQuantized: expandedMatrices(checkpoint, steps),
  audioInBytes: multipliesBytes(checkpoint, steps),
  byteRange: byteMatrices(checkpoint, steps),
});
