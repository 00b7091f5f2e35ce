import type { ByteRange } from '../graph/byte-matrix.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import { type DecoderSteps, WIDEST_EXPANDED } from './expanded-matrices.ts';

/** In 8 bits in every checkpoint that is. */
const TOKEN_EMBEDDINGS = 'model.decoder.embed_tokens.weight.q';
const ENCODER_MATRIX = /^model\.encoder\.layers\.(\d+)\.(self_attn\.[qk]_proj|fc[12])\./;
const AUDIO_KEYS = '.encoder_attn.k_proj.weight';
/** Of GELU: all that `fc2` meets. */
const GELU_MINIMUM = -0.17;

/**
 * Which matrices of a checkpoint in 8 bits multiply bytes, where the CPU has an instruction for it: of
 * those that meet 1,500 positions at once, the ones whose rounding hardly moves the text, that of what
 * they meet included. Not among them: projections of values, the first layer, whose rounding counts as
 * much as that of all others, and the last layer's `fc2`, of whose inputs a few are a hundred times the
 * others. A beam search weighs small differences: none there. See docs/decisions/0028.
 */
export function byteMatrices(
  { dModel, encoderLayers, tensors }: WhisperCheckpoint,
  { search, hasIntegerDotProduct = false }: Omit<DecoderSteps, 'batchSize'>,
): (name: string) => ByteRange | null {
  const isServed =
    hasIntegerDotProduct &&
    search !== 'beam' &&
    dModel <= WIDEST_EXPANDED &&
    tensors.has(TOKEN_EMBEDDINGS);
  return (name) => {
    if (!isServed) return null;
    if (name.endsWith(AUDIO_KEYS)) return {};
    const [, layer, part] = ENCODER_MATRIX.exec(name) ?? [];
    if (layer === undefined || layer === '0') return null;
    if (part !== 'fc2') return {};
    return Number(layer) < encoderLayers - 1 ? { lowest: GELU_MINIMUM } : null;
  };
}
