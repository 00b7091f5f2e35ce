import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';

/** The whole tokenizer in one file; where it is missing, the two files of the slow tokenizer. */
export const TOKENIZER_FILE = 'tokenizer.json';
export const SLOW_TOKENIZER_FILES = ['vocab.json', 'merges.txt'] as const;

const Vocabulary = z.record(z.string(), z.int().min(0));
const TokenizerJson = z.looseObject({ model: z.looseObject({ vocab: Vocabulary }) });
export type TokenizerJson = z.output<typeof TokenizerJson>;

/**
 * A Whisper's tokenizer in the form of `tokenizer.json`. Fine-tunes that were saved with the slow
 * tokenizer of transformers have `vocab.json` and `merges.txt` only: they hold the same in other words.
 * @throws {SttError} MODEL_NOT_FOUND, MODEL_INVALID.
 */
export async function readTokenizerJson(folder: string): Promise<TokenizerJson> {
  const whole = await readOptional(join(folder, TOKENIZER_FILE));
  if (whole !== undefined) return parse(TokenizerJson, whole, TOKENIZER_FILE);
  const [vocabulary, merges] = await Promise.all(
    SLOW_TOKENIZER_FILES.map((name) => readOptional(join(folder, name))),
  );
  if (vocabulary === undefined || merges === undefined) {
    throw new SttError(
      'MODEL_NOT_FOUND',
      `The model folder has no ${TOKENIZER_FILE}, nor ${SLOW_TOKENIZER_FILES.join(' and ')}`,
    );
  }
  return byteLevelBpe(parse(Vocabulary, vocabulary, SLOW_TOKENIZER_FILES[0]), merges);
}

function byteLevelBpe(vocab: Readonly<Record<string, number>>, merges: string): TokenizerJson {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, use_regex: true };
  return {
    version: '1.0',
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: { type: 'BPE', vocab, merges: mergesOf(merges) },
  };
}

/** One merge a line, below a line that says which form this is. */
const mergesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line, index) => line !== '' && !(index === 0 && line.startsWith('#version')));

function parse<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  name: string,
): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new SttError('MODEL_INVALID', `${name} could not be read`, { cause: error });
  }
}

const readOptional = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch(() => undefined);
