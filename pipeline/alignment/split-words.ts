/** A word of the recogniser's text, as written there: mostly with the space before it. */
export interface TokenWord {
  readonly text: string;
  readonly tokenCount: number;
}

/** Stands for an incomplete character. */
const REPLACEMENT = '\uFFFD';

/** Written without spaces between words: every token that ends with a whole character is a unit. */
const UNSPACED_LANGUAGES = new Set(['zh', 'ja', 'th', 'lo', 'my', 'yue']);

/** Python's `string.punctuation`; openai-whisper asks whether a text is a part of it. */
const ASCII_PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/**
 * Cuts a text's tokens into words: at spaces (Korean too: an eojeol is a word), or, in languages
 * without spaces, into the smallest groups of tokens that are whole characters. Punctuation is a word
 * of its own. No token is lost, no character is cut. Follows openai-whisper's `split_to_word_tokens`.
 */
export function splitWords(
  tokenIds: readonly number[],
  textOf: (tokenIds: readonly number[]) => string,
  language: string,
): TokenWord[] {
  const units = wholeCharacters(tokenIds, textOf);
  return UNSPACED_LANGUAGES.has(language) ? units : joinedAtSpaces(units);
}

function wholeCharacters(
  tokenIds: readonly number[],
  textOf: (tokenIds: readonly number[]) => string,
): TokenWord[] {
  const whole = textOf(tokenIds);
  const units: TokenWord[] = [];
  let position = 0;
  let pending: number[] = [];
  for (const id of tokenIds) {
    pending.push(id);
    const text = textOf(pending);
    const broken = text.indexOf(REPLACEMENT);
    if (broken >= 0 && whole[position + broken] !== REPLACEMENT) continue;
    units.push({ text, tokenCount: pending.length });
    position += text.length;
    pending = [];
  }
  if (pending.length > 0) units.push({ text: textOf(pending), tokenCount: pending.length });
  return units;
}

/** Marks between letters are part of the word, at its edges they stand alone: `3.5`, `(`, `so`, `,`. */
function joinedAtSpaces(units: readonly TokenWord[]): TokenWord[] {
  const words: TokenWord[] = [];
  for (const unit of units) {
    const startsWord = words.length === 0 || unit.text.startsWith(' ') || isPunctuation(unit);
    if (startsWord) words.push(unit);
    else words.push(joined([...insideOf(words), unit]));
  }
  return words;
}

/** Takes off the word that goes on: the last one, with what it hangs on if that is only a mark. */
function insideOf(words: TokenWord[]): TokenWord[] {
  const parts: TokenWord[] = [];
  do parts.unshift(words.pop()!);
  while (words.length > 0 && isPunctuation(parts[0]!) && !parts[0]!.text.startsWith(' '));
  return parts;
}

const isPunctuation = ({ text }: TokenWord): boolean => ASCII_PUNCTUATION.includes(text.trim());

const joined = (parts: readonly TokenWord[]): TokenWord => ({
  text: parts.map(({ text }) => text).join(''),
  tokenCount: parts.reduce((sum, { tokenCount }) => sum + tokenCount, 0),
});
