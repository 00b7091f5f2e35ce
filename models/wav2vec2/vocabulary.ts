import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import type { CtcVocabulary } from '../../pipeline/contracts.ts';
import { readModelJson, readOptionalJson, type Wav2Vec2Checkpoint } from './checkpoint.ts';

const Vocabulary = z.record(z.string(), z.int().min(0));
/** A token is a text, or an object with its text. */
const token = z
  .union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)])
  .nullish();
const TokenizerConfig = z.object({ pad_token: token, word_delimiter_token: token });
const SpecialTokens = z.object({ pad_token: token });

const BLANK_NAMES = ['<pad>', '[PAD]', '<blank>'];

/**
 * The characters of a checkpoint. Blank is the pad token that the tokenizer's files name, else the
 * usual names, else the config's; control tokens are no characters.
 * @throws {SttError} MODEL_NOT_FOUND, MODEL_INVALID.
 */
export async function readCtcVocabulary(
  folder: string,
  { padTokenId, vocabularySize }: Pick<Wav2Vec2Checkpoint, 'padTokenId' | 'vocabularySize'>,
): Promise<CtcVocabulary> {
  const parsed = Vocabulary.safeParse(await readModelJson(folder, 'vocab.json'));
  if (!parsed.success) {
    throw new SttError('MODEL_INVALID', 'vocab.json is not a list of characters with their ids');
  }
  const ids = new Map(Object.entries(parsed.data).filter(([, id]) => id < vocabularySize));
  const special = SpecialTokens.parse(
    (await readOptionalJson(folder, 'special_tokens_map.json')) ?? {},
  );
  const config = TokenizerConfig.parse(
    (await readOptionalJson(folder, 'tokenizer_config.json')) ?? {},
  );
  const names = [config.pad_token, special.pad_token, ...BLANK_NAMES];
  const pad = names.find((name) => typeof name === 'string' && ids.has(name));
  const delimiter = config.word_delimiter_token ?? '|';
  const isCharacter = (text: string): boolean =>
    text !== delimiter && [...text.normalize('NFC')].length === 1 && text.trim() !== '';
  return {
    classOf: new Map([...ids].filter(([text]) => isCharacter(text))),
    blankId: pad == null ? padTokenId : ids.get(pad)!,
    delimiterId: ids.get(delimiter) ?? ids.get(' ') ?? null,
  };
}
