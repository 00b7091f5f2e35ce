import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { SttError } from '../../core/errors.ts';

/** Whisper's byte-level BPE, from the checkpoint's `tokenizer.json`. */
export class WhisperTokenizer {
  readonly #tokenizer: Tokenizer;

  private constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** @throws {SttError} MODEL_NOT_FOUND, MODEL_INVALID. */
  static async load(folder: string): Promise<WhisperTokenizer> {
    const text = await readFile(join(folder, 'tokenizer.json'), 'utf8').catch((error: unknown) => {
      throw new SttError('MODEL_NOT_FOUND', 'The model folder has no tokenizer.json', {
        cause: error,
      });
    });
    try {
      return new WhisperTokenizer(new Tokenizer(JSON.parse(text) as object, {}));
    } catch (error) {
      throw new SttError('MODEL_INVALID', 'tokenizer.json could not be read', { cause: error });
    }
  }

  /** Ids of plain text; nothing is added. */
  encode(text: string): number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  /** Text of ids without special tokens; an incomplete character at either end becomes U+FFFD. */
  decode(ids: readonly number[]): string {
    if (ids.length === 0) return '';
    return this.#tokenizer.decode([...ids], {
      skip_special_tokens: true,
      clean_up_tokenization_spaces: false,
    });
  }
}
