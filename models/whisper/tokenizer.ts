import { Tokenizer } from '@huggingface/tokenizers';
import { SttError } from '../../core/errors.ts';
import { textOfEntry } from './byte-level.ts';
import { readTokenizerJson, type TokenizerJson } from './tokenizer-files.ts';

/** How the tokens that steer a Whisper are written. */
const SPECIAL = /^<\|.*\|>$/;

/** Whisper's byte-level BPE, from the checkpoint's files. */
export class WhisperTokenizer {
  readonly #tokenizer: Tokenizer;
  /** Of the tokens that are text, by id. */
  readonly #entries: ReadonlyMap<number, string>;

  private constructor(json: TokenizerJson) {
    // Without tokens that are read as a whole: what a prompt holds is text, whatever it looks like.
    this.#tokenizer = new Tokenizer({ ...json, added_tokens: [] }, {});
    this.#entries = new Map(
      Object.entries(json.model.vocab).flatMap(([entry, id]) =>
        SPECIAL.test(entry) ? [] : [[id, entry]],
      ),
    );
  }

  /** @throws {SttError} MODEL_NOT_FOUND, MODEL_INVALID. */
  static async load(folder: string): Promise<WhisperTokenizer> {
    const json = await readTokenizerJson(folder);
    try {
      return new WhisperTokenizer(json);
    } catch (error) {
      throw new SttError('MODEL_INVALID', 'The tokenizer could not be read', { cause: error });
    }
  }

  /** Ids of plain text; nothing is added, and nothing in it steers the model. */
  encode(text: string): number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  /** Text of ids without special tokens; an incomplete character at either end becomes U+FFFD. */
  decode(ids: readonly number[]): string {
    const text = ids.filter((id) => this.#entries.has(id));
    if (text.length === 0) return '';
    return this.#tokenizer.decode(text, { clean_up_tokenization_spaces: false });
  }

  /** Ids of the tokens whose own text matches: a scan of the vocabulary, for patterns without state. */
  idsMatching(pattern: RegExp): number[] {
    return [...this.#entries]
      .filter(([, entry]) => pattern.test(textOfEntry(entry)))
      .map(([id]) => id);
  }
}
