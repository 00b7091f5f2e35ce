import type { SpecialTokens } from '../models/whisper/special-tokens.ts';

const TIMESTAMPS = 1501;

/**
 * A tokenizer for networks whose weights mean nothing: the bytes, then `t256`, `t257`, … and the
 * special tokens at the ids that Whisper gives them.
 */
export function fillerTokenizer(tokens: SpecialTokens): object {
  const bytes = byteCharacters();
  const texts = Array.from({ length: tokens.endOfText }, (_, id) => bytes[id] ?? `t${id}`);
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

/** The characters that GPT-2's byte-level BPE writes for the bytes 0 to 255. */
function byteCharacters(): string[] {
  const isShown = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let hidden = 0;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(isShown(byte) ? byte : 256 + hidden++),
  );
}
