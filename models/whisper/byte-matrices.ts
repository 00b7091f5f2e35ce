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
 * Which of a checkpoint's matrices multiply bytes where that may be (`multipliesBytes`): of those that
 * meet 1,500 positions at once, the ones whose rounding hardly moves the text, that of what they meet
 * included. Not among them: projections of values, the first layer, whose rounding counts as much as
 * that of all others, and the last layer's `fc2`, of whose inputs a few are a hundred times the others.
 * See docs/decisions/0028.
 */
export function byteMatrices(
  checkpoint: WhisperCheckpoint,
  steps: Omit<DecoderSteps, 'batchSize'>,
): (name: string) => ByteRange | null {
  const { dModel, encoderLayers } = checkpoint;
  const isServed = multipliesBytes(checkpoint, steps) && dModel <= WIDEST_EXPANDED;
  return (name) => {
    if (!isServed) return null;
    if (name.endsWith(AUDIO_KEYS)) return {};
    const [, layer, part] = ENCODER_MATRIX.exec(name) ?? [];
    if (layer === undefined || layer === '0') return null;
    if (part !== 'fc2') return {};
    return Number(layer) < encoderLayers - 1 ? { lowest: GELU_MINIMUM } : null;
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
