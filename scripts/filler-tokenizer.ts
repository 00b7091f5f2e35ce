import { BYTE_CHARACTERS } from '../models/whisper/byte-level.ts';
import type { SpecialTokens } from '../models/whisper/special-tokens.ts';

const TIMESTAMPS = 1501;

/**
 * A tokenizer for networks whose weights mean nothing: the bytes, then `t256`, `t257`, … and the
 * special tokens at the ids that Whisper gives them.
 */
export function fillerTokenizer(tokens: SpecialTokens): object {
  const texts = Array.from(
    { length: tokens.endOfText },
    (_, id) => BYTE_CHARACTERS[id] ?? `t${id}`,
  );
  const added = specialTexts(tokens).map((content, index) => ({
    id: tokens.endOfText + index,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: tokens.endOfText + index < tokens.timestampsStart,
  }));
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: true,
  };
  return {
    version: '1.0',
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(texts.map((text, id) => [text, id])),
      merges: [],
    },
  };
}

function specialTexts({ languages }: SpecialTokens): string[] {
  return [
    '<|endoftext|>',
    '<|startoftranscript|>',
    ...languages.map((language) => `<|${language}|>`),
    '<|translate|>',
    '<|transcribe|>',
    '<|startoflm|>',
    '<|startofprev|>',
    '<|nospeech|>',
    '<|notimestamps|>',
    ...Array.from({ length: TIMESTAMPS }, (_, index) => `<|${(index * 0.02).toFixed(2)}|>`),
  ];
}
