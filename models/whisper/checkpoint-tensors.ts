import { SttError } from '../../core/errors.ts';
import type { StoredTensor, TensorTable } from '../graph/safetensors.ts';
import { type NetworkShape, tensorShapes } from './tensor-shapes.ts';

/** The matrix that makes scores where the token embeddings do not. */
const OUTPUT_PROJECTION = 'proj_out.weight';
const TOKEN_EMBEDDINGS = 'model.decoder.embed_tokens.weight';
/** Every Whisper has it, and no tool ever quantizes it: the rest of its name is the prefix. */
const LANDMARK = 'encoder.conv1.weight';

/**
 * A checkpoint's tensors by their Hugging Face names, complete and of the right shapes. The output
 * projection is among them only where it is not the token embeddings.
 * @throws {SttError} MODEL_INVALID with what to do about it.
 */
export function checkpointTensors(
  stored: TensorTable,
  shape: NetworkShape,
  isTied: boolean,
): TensorTable {
  rejectAdapters(stored);
  const tensors = withTies(withCommonNames(stored), isTied);
  const absent: string[] = [];
  for (const [name, dimensions] of tensorShapes(shape)) {
    const found = storedShape(tensors, name);
    if (found === undefined) absent.push(name);
    else if (!isSame(found, dimensions)) {
      throw invalid(`${name} is ${found.join(' × ')}, by config.json ${dimensions.join(' × ')}`);
    }
  }
  if (absent.length === 0) return tensors;
  throw invalid(`${absent.length} tensors are missing, the first is ${absent[0]}`);
}

/** Tools put different things in front of the same names: nothing, `model.`, `base_model.model.model.` */
function withCommonNames(stored: TensorTable): Map<string, StoredTensor> {
  const landmark = [...stored.keys()].find((name) => name.endsWith(LANDMARK));
  if (landmark === undefined) throw new SttError('MODEL_INVALID', describeForeignNames(stored));
  const prefix = landmark.slice(0, -LANDMARK.length);
  return new Map(
    [...stored].map(([name, tensor]) => {
      const projection = /(?:^|\.)(proj_out\..+)$/.exec(name)?.[1];
      const rest = name.startsWith(prefix) ? name.slice(prefix.length) : name;
      return [projection ?? (/^(?:en|de)coder\./.test(rest) ? `model.${rest}` : name), tensor];
    }),
  );
}

/** One matrix that serves twice is stored under either name. */
function withTies(tensors: Map<string, StoredTensor>, isTied: boolean): TensorTable {
  const projections = [...tensors].filter(([name]) => name.startsWith(OUTPUT_PROJECTION));
  if (!isTied && projections.length > 0) return tensors;
  if (!isTied) {
    throw invalid(`tie_word_embeddings is false, but there is no ${OUTPUT_PROJECTION}`);
  }
  const hasEmbeddings = storedShape(tensors, TOKEN_EMBEDDINGS) !== undefined;
  for (const [name, tensor] of projections) {
    if (!hasEmbeddings) tensors.set(name.replace(OUTPUT_PROJECTION, TOKEN_EMBEDDINGS), tensor);
    tensors.delete(name);
  }
  return tensors;
}

function rejectAdapters(stored: TensorTable): void {
  const isAdapter = [...stored.keys()].some((name) => /\blora_|\.base_layer\./.test(name));
  if (!isAdapter) return;
  throw new SttError(
    'MODEL_INVALID',
    'The checkpoint holds an adapter (LoRA) that is not merged into its model: ' +
      'merge it with PEFT (merge_and_unload) and save the whole model',
  );
}

function describeForeignNames(stored: TensorTable): string {
  const isOpenAi = [...stored.keys()].some((name) => /coder\.blocks\.0\./.test(name));
  return isOpenAi
    ? "The checkpoint has the tensor names of openai-whisper: convert it to Hugging Face's " +
        '(convert_openai_to_hf.py of transformers)'
    : 'The safetensors file holds no Whisper: it has no encoder.conv1.weight';
}

/** Of a tensor as it is, or in its 8-bit form `[rows, blocks, block]`. */
function storedShape(tensors: TensorTable, name: string): readonly number[] | undefined {
  const plain = tensors.get(name);
  if (plain !== undefined) return plain.shape;
  const [rows, blocks, block] = tensors.get(`${name}.q`)?.shape ?? [];
  if (rows === undefined || blocks === undefined || block === undefined) return undefined;
  return [rows, blocks * block];
}

const isSame = (found: readonly number[], wanted: readonly number[]): boolean =>
  found.length === wanted.length && found.every((length, axis) => length === wanted[axis]);

const invalid = (what: string): SttError =>
  new SttError(
    'MODEL_INVALID',
    `The checkpoint does not fit its config.json: ${what}; download it again or choose another`,
  );
